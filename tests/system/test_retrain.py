"""docs/retrain.md as it stands: from a workbook of tickets to another model in a service that never stops."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
import xlsxwriter

from corpora.petitions import default_taxonomy, read_rows

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商。"
CLASSES, EACH = 8, 75  # upper categories of the workbook, and rows of each
Run = Callable[[str], "CompletedProcess[str]"]


def shown() -> list[str]:
    """The four commands that the page begins with."""
    page = (ROOT / "docs" / "retrain.md").read_text(encoding="utf-8")
    first = re.search(r"^```bash\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert first
    return first[1].splitlines()


def tickets() -> list[tuple[str, str, str]]:
    """Own petitions of the most frequent upper categories: title, text, and that category as the label."""
    paths, rows = default_taxonomy().paths, read_rows()[::7]
    upper = [paths[row.category][0] for row in rows]
    common = [name for name, _ in Counter(upper).most_common(CLASSES)]
    taken: Counter[str] = Counter()
    found = []
    for row, name in zip(rows, upper, strict=True):
        if name in common and taken[name] < EACH:
            taken[name] += 1
            found.append((row.title, row.text, name))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where somebody stands with a workbook of tickets, and an empty home."""
    folder = tmp_path_factory.mktemp("office")
    with xlsxwriter.Workbook(folder / "工单.xlsx") as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([("诉求标题", "诉求内容", "诉求分类"), *tickets()]):
            for column, value in enumerate(row):
                sheet.write_string(line, column, value)
    return folder


@pytest.fixture(scope="module")
def environment(folder: Path) -> dict[str, str]:
    """Theirs, with the home and a service that looks for changes four times a second."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("JIESU_")}
    return own | {"JIESU_HOME": str(folder / "home"), "JIESU_RULES_EVERY": "0.25", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def run(folder: Path, environment: dict[str, str]) -> Run:
    """One command line of the page, in the folder of the workbook."""

    def called(line: str) -> CompletedProcess[str]:
        name, *arguments = shlex.split(line)
        assert name == "jiesu"
        command = [sys.executable, "-m", "jiesu", *arguments]
        own = environment | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=600, check=False)

    return called


@pytest.fixture(scope="module")
def address(folder: Path, environment: dict[str, str], run: Run) -> Iterator[str]:
    """A service on a free port, ready with the default model."""
    assert run("jiesu classify 路灯不亮").returncode == 0  # the default model is there from now on
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "jiesu", "serve", "--insecure", "--port", port]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: reachable(address), 120)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def reachable(address: str) -> bool:
    try:
        return httpx.get(address + "/readyz").is_success
    except httpx.TransportError:
        return False


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def answer(address: str) -> tuple[str, str]:
    """The category of a leak, and the model that decided it."""
    reply = httpx.post(address + "/v1/decisions", json={"petitions": [{"id": "1", "text": LEAK}]}, timeout=30)
    assert reply.status_code == 200
    decision = reply.json()["decisions"][0]
    return decision["category"]["code"], decision["model"]


def promoted(run: Run, line: str) -> None:
    """Promote as the page says."""
    done = run(line)
    assert done.returncode == 0, done.stderr
    assert "换上了 新模型-" in done.stderr


def test_four_commands_bring_another_model_into_the_running_service(run: Run, address: str, folder: Path) -> None:
    freeze, fit, promote, listed = shown()
    before = answer(address)
    assert before[0] == "leak"
    assert before[1].startswith("default-")
    for line in (freeze, fit):
        done = run(line)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (folder / "报告").iterdir()} == {"report.html", "report.json", "suspects.xlsx"}
    rows = folder / "home" / "test-set" / "rows.jsonl"
    assert rows.stat().st_mode & 0o777 == 0o600
    assert answer(address) == before  # nothing changes before a model is promoted

    promoted(run, promote)
    until(lambda: answer(address)[1].startswith("新模型-"), 20)
    assert answer(address)[0] == "住房与物业"
    assert re.search("新模型-.*在用", run(listed).stdout)

    back = run("jiesu models rollback --reason 试过了")
    assert back.returncode == 0, back.stderr
    until(lambda: answer(address) == before, 20)
    assert re.search("default .*在用", run(listed).stdout)
