"""Faults under load: nothing that was acknowledged is lost, nothing is written twice, the service comes back by itself,
the audit chain verifies. Three rounds of each; `make soak` asks for twenty and keeps the count.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import Postgres
from tests.system.office import Office, faulted

pytestmark = pytest.mark.system
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
RESULTS = os.environ.get("FAULT_RESULTS", "")  # a JSONL file that the counts are added to
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), Path("libfaketimeMT.so.1"))


@contextmanager
def counted(name: str, store: str = "sqlite") -> Iterator[list[float]]:
    """A fault that is repeated; the body notes the seconds of each recovery."""
    seconds: list[float] = []
    yield seconds
    assert len(seconds) == ROUNDS
    if RESULTS:
        line = {
            "name": f"faults.{name}.{store}", "value": len(seconds), "unit": "rounds passed",
            "slowest_recovery_s": round(max(seconds), 2), "date": date.today().isoformat(),
        }  # fmt: skip
        with Path(RESULTS).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    store = request.getfixturevalue("postgres").create() if request.param == "postgresql" else ""
    (tmp_path / "home").mkdir()
    with Office(tmp_path / "home", store) as opened:
        yield opened


def test_a_worker_is_killed(office: Office) -> None:
    with counted("kill_worker", "postgresql" if "postgresql" in office.store else "sqlite") as seconds:
        for number in range(ROUNDS):
            with faulted(office, f"w{number}"):
                os.kill(office.workers[number % 2], signal.SIGKILL)
                seconds.append(office.wait(60))
                until = time.monotonic() + 60
                while len(office.workers) < 2 and time.monotonic() < until:
                    time.sleep(0.2)
                assert len(office.workers) == 2, "the worker was not replaced"


def test_postgresql_is_killed(postgres: Postgres, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with Office(tmp_path / "home", postgres.create()) as office, counted("kill_postgresql", "postgresql") as seconds:
        for number in range(ROUNDS):
            with faulted(office, f"p{number}"):
                postgres.kill()
                time.sleep(1.5)
                postgres.start()
                seconds.append(office.wait(60))


def test_the_disk_is_full(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    mounted = ("unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=1g tmpfs {home} && exec "$@"', "sh")
    with Office(home, before=mounted) as office:
        inside = ("nsenter", "-t", str(office.pid), "-m")
        with counted("disk_full") as seconds:
            for number in range(ROUNDS):
                with faulted(office, f"d{number}", within=inside) as clients:
                    filler = home / "filler"
                    subprocess.run([*inside, "sh", "-c", f"cat /dev/zero > {filler} 2>/dev/null"], check=False)
                    until = time.monotonic() + 30
                    while not clients.refused and time.monotonic() < until:
                        time.sleep(0.1)
                    assert clients.refused, "a full disk was not told"
                    subprocess.run([*inside, "rm", str(filler)], check=True)
                    seconds.append(office.wait(60))


def test_the_clock_jumps(tmp_path: Path) -> None:
    home, clock = tmp_path / "home", tmp_path / "clock"
    home.mkdir()
    clock.write_text("+0s\n")
    faked = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    with Office(home, FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1", **faked) as office:
        jumps = ("+2h", "-2h", "+30d", "-30d", "+0s")
        with counted("clock_jump") as seconds:
            for number in range(ROUNDS):
                with faulted(office, f"c{number}"):
                    clock.write_text(f"{jumps[number % len(jumps)]}\n")
                    seconds.append(office.wait(60))


class Receiver(ThreadingHTTPServer):
    """A target of webhooks that can be told to hang."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.hangs = threading.Event()
        self.heard: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        if server.hangs.is_set():
            time.sleep(30)
            return
        server.heard.add(json.loads(body)["subject"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_webhook_target_hangs(tmp_path: Path) -> None:
    receiver = Receiver()
    home, hooks = tmp_path / "home", tmp_path / "hooks.toml"
    home.mkdir()
    port = receiver.server_address[1]
    hooks.write_text(
        'allow = ["127.0.0.1"]\n[[target]]\nname = "desk"\n'
        'secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="\n'
        f'url = "http://127.0.0.1:{port}/"\ntypes = ["*"]\n'
    )
    with Office(home, JIESU_WEBHOOKS=str(hooks)) as office, counted("hung_webhook") as seconds:
        for number in range(ROUNDS):
            receiver.hangs.set()
            with faulted(office, f"h{number}") as clients:
                time.sleep(2)
                seconds.append(office.wait(5))
                receiver.hangs.clear()
            until = time.monotonic() + 120
            while set(clients.promised.values()) - receiver.heard and time.monotonic() < until:
                time.sleep(0.2)
            assert not set(clients.promised.values()) - receiver.heard, "an event was never told"
    receiver.shutdown()
    receiver.server_close()


def model_of(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{office.url}/v1/models/current", timeout=20).json()
    return found


def refused(seen: Sequence[dict[str, Any]], model: str) -> bool:
    """Whether every worker has said so: whichever happens to answer, ten times in a row."""
    return len(seen) >= 10 and all(model in told["refused"] for told in seen[-10:])


def test_a_corrupt_model_lands_in_the_registry(tmp_path: Path, model_folder: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with Office(home) as office:
        name = model_of(office)["name"]
        with counted("corrupt_model") as seconds:
            for number in range(ROUNDS):
                with faulted(office, f"m{number}"):
                    broken = home / "models" / f"broken-{number}"
                    shutil.copytree(model_folder, broken)
                    weights = next(broken.glob("*.safetensors"))
                    weights.write_bytes(weights.read_bytes()[: -100 - number])
                    point = {"name": broken.name, "since": "2026-11-23T09:00:00+08:00", "previous": ["default"]}
                    (home / "models" / "current.json").write_text(json.dumps(point))
                    until, seen = time.monotonic() + 30, list[dict[str, Any]]()
                    while not refused(seen, broken.name) and time.monotonic() < until:
                        time.sleep(0.1)
                        seen.append(model_of(office))
                    assert refused(seen, broken.name)
                    assert {told["name"] for told in seen} == {name}
                    seconds.append(office.wait(5))
                    (home / "models" / "current.json").unlink()


def test_two_promote_at_once(tmp_path: Path, model_folder: Path) -> None:
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    for name in ("one", "two"):
        shutil.copytree(model_folder, home / "models" / name)
    with Office(home) as office, counted("two_promotes") as seconds:
        for number in range(ROUNDS):
            with faulted(office, f"t{number}"):
                command = ("-m", "jiesu", "models", "promote", "--force", "--reason", "同时换两个模型的演练")
                with ThreadPoolExecutor(2) as pool:
                    ended = list(pool.map(lambda words: office.run(*words), [(*command, "one"), (*command, "two")]))
                assert any(one.returncode == 0 for one in ended), [one.stderr for one in ended]
                point = json.loads((home / "models" / "current.json").read_text())
                assert point["name"] in {"one", "two"}
                seconds.append(office.wait(30))


def test_two_instances_agree(postgres: Postgres, tmp_path: Path, model_folder: Path) -> None:
    """One store, one home: a key's rate, an Idempotency-Key and the model hold for both."""
    home = tmp_path / "home"
    home.mkdir()
    store = postgres.create()
    with Office(home, store) as one, Office(home, store) as other:
        pair = (one, other)
        bodies = [office.ask("same").content for office in pair]
        assert bodies[0] == bodies[1]
        shutil.copytree(model_folder, home / "models" / "next")
        point = {"name": "next", "since": "2026-11-23T09:00:00+08:00", "previous": ["default"]}
        (home / "models" / "current.json").write_text(json.dumps(point))
        until = time.monotonic() + 30
        while len({model_of(office)["name"] for office in pair}) > 1 or "default" in model_of(one)["name"]:
            assert time.monotonic() < until, [model_of(office) for office in pair]
            time.sleep(0.2)
