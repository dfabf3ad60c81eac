"""docs/batches.md as it stands, with a real service; a kill of everything in the middle; what online answers notice."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest

from tests.system.office import TEXTS, Office

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "batches.md"
ROWS = 30_000
ASKED = 200


def table(rows: int) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("工单编号", "诉求内容", "受理时间"))
    writer.writerows((f"G{row}", TEXTS[row % len(TEXTS)], "2026-11-20 09:00:00") for row in range(rows))
    return out.getvalue().encode()


@pytest.fixture
def office(tmp_path: Path, equipped: Path) -> Iterator[Office]:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(equipped / "models")
    with Office(tmp_path / "home") as running:
        yield running


def send(office: Office, rows: int, key: str) -> str:
    files, headers = {"file": ("工单.csv", table(rows))}, {"idempotency-key": key}
    reply = httpx.post(f"{office.url}/v1/batches", files=files, headers=headers, timeout=60)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def told(office: Office, batch: str) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{office.url}/v1/batches/{batch}", timeout=20).json()
    return found


def until(office: Office, batch: str, *, chunks: int = 0, seconds: float = 300) -> dict[str, object]:
    """Until a batch has ended, or so many chunks of it are done."""
    end = time.monotonic() + seconds
    while (now := told(office, batch))["state"] in {"waiting", "running"}:
        assert time.monotonic() < end, now
        done: object = now["chunks"]
        if chunks and isinstance(done, dict) and done["done"] >= chunks:
            return now
        time.sleep(0.1)
    return now


def test_the_page_runs_as_it_stands(tmp_path: Path, equipped: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "jiesu"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}:$PYTHONPATH" exec "{sys.executable}" -m jiesu "$@"\n', "utf-8")
    program.chmod(0o755)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "models").symlink_to(equipped / "models")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    script = "set -e\ntrap 'kill $(jobs -p)' EXIT\n" + "\n".join(blocks).replace("8000", str(port))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIESU_")}
    run = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "结果.csv").read_text("utf-8-sig"))))
    assert [row["工单编号"] for row in rows] == ["G1", "G2", "G3"]
    assert all(row["接诉_类别"] for row in rows)
    assert (tmp_path / "变更报告.html").read_text("utf-8").lstrip().lower().startswith("<!doctype html")
    assert (tmp_path / "清单.json").read_text("utf-8").startswith("{")


def test_after_everything_was_killed_the_batch_goes_on(office: Office) -> None:
    batch = send(office, ROWS, "killed-1")
    until(office, batch, chunks=3)
    os.killpg(office.pid, signal.SIGKILL)
    office._process.wait(10)  # type: ignore[union-attr]
    office.start()
    found = until(office, batch)
    assert found["state"] == "done", found
    rows = httpx.get(f"{office.url}/v1/batches/{batch}/result", timeout=60).content.decode("utf-8-sig")
    numbers = [row["工单编号"] for row in csv.DictReader(io.StringIO(rows))]
    assert numbers == [f"G{row}" for row in range(ROWS)]
    office.verified()


def test_a_hundred_megabytes_are_taken_while_memory_stays_small(office: Office) -> None:
    def pieces() -> Iterator[bytes]:
        yield "诉求内容,备注\n".encode()
        line = ("小区门口的路灯不亮," + "x" * 50_000 + "\n").encode()
        for _ in range(2_000):
            yield line

    before = max(memory(pid) for pid in office.workers)
    headers = {"idempotency-key": "large-1"}
    address = f"{office.url}/v1/batches?filename=large.csv"
    reply = httpx.post(address, content=pieces(), headers=headers, timeout=120)
    assert reply.status_code == 200, reply.text
    assert max(memory(pid) for pid in office.workers) - before < 40
    found = until(office, reply.json()["id"])
    assert found["state"] == "done", found
    assert isinstance(found["rows"], dict)
    assert found["rows"]["read"] == 2_000


def memory(pid: int) -> float:
    """The most that a process ever had in memory, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def latency(office: Office, name: str) -> float:
    """The median time of a decision, in milliseconds, one after the other."""
    seconds = []
    with httpx.Client(base_url=office.url) as client:
        for number in range(ASKED):
            body = {"petitions": [{"id": f"{name}-{number}", "text": TEXTS[number % len(TEXTS)]}]}
            begun = time.perf_counter()
            assert client.post("/v1/decisions", json=body).status_code == 200
            seconds.append(time.perf_counter() - begun)
    return 1000 * median(seconds)


def test_online_answers_hardly_notice(office: Office, record_property: pytest.RecordProperty) -> None:
    latency(office, "warm")
    alone = latency(office, "alone")
    batch = send(office, ROWS, "beside-1")
    until(office, batch, chunks=1)
    beside = latency(office, "beside")
    assert told(office, batch)["state"] == "running", "the batch was over before the measurement"
    record_property("p50_ms", {"alone": round(alone, 2), "beside": round(beside, 2)})
    print(f"p50 of /v1/decisions: {alone:.2f} ms alone, {beside:.2f} ms beside a batch")  # noqa: T201
    assert beside < 3 * alone + 5
