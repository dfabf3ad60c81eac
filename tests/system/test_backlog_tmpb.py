"""Backlogs as people run them: docs/backlog.md from top to bottom, and runs that are killed at any moment."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from corpora.petitions import Row

pytestmark = pytest.mark.system
ROOT = Path("/work/main")
PAGE = ROOT / "docs" / "backlog.md"
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
RESULTS = os.environ.get("FAULT_RESULTS", "")  # a JSONL file that the counts are added to
HEAD = ("工单编号", "诉求内容", "受理时间", "一级分类")
NOW = "2026-11-23T09:12:03+08:00"
SEED = 20261123


def environment(home: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("JIESU_")}
    return own | {"JIESU_HOME": str(home), "JIESU_SECRET": "s" * 32, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def home(equipped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(equipped, tmp_path / "home"))


def rows(corpus: list[Row], count: int) -> list[tuple[str, str, str, str]]:
    """Our own petitions under old labels: the first letters of their categories."""
    found = []
    for number in range(count):
        row = corpus[number % len(corpus)]
        found.append((f"G-{number}", row.text, "2026-11-20 08:30", f"旧{row.category[:4]}"))
    return found


def test_the_page_as_a_new_user_would_follow_it(home: Path, tmp_path: Path, corpus: list[Row]) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    folder, programs = tmp_path / "office", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    program = programs / "jiesu"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" /tmp/jbmain.py "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    with xlsxwriter.Workbook(str(folder / "工单.xlsx")) as book:
        page = book.add_worksheet("工单")
        for number, cells in enumerate([HEAD, *rows(corpus, 3000)]):
            page.write_row(number, 0, cells)
    before = (folder / "工单.xlsx").read_bytes()
    own = environment(home)
    own["PATH"] = f"{programs}:{own['PATH']}"

    def run(block: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    dry, review, real, again, undo = blocks
    assert "正文 ← 列『诉求内容』" in run(dry)
    assert {path.name for path in folder.iterdir()} == {"工单.xlsx", "新分类.xlsx.report"}
    assert (folder / "新分类.xlsx.report" / "change.html").exists()
    run(review)
    assert "读了 3000 行" in run(real)
    found = CalamineWorkbook.from_path(folder / "新分类.xlsx").get_sheet_by_name("工单").to_python()
    assert len(found) == 3001
    assert tuple(found[0][: len(HEAD)]) == HEAD
    assert found[1][0] == "G-0"
    stamp = (folder / "新分类.xlsx").stat().st_mtime_ns
    run(again)
    assert (folder / "新分类.xlsx").stat().st_mtime_ns == stamp
    assert "已经删去（3000 行）" in run(undo)
    assert not (folder / "新分类.xlsx").exists()
    assert (folder / "工单.xlsx").read_bytes() == before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith("out")}


def test_killed_at_any_moment_and_resumed_it_gives_the_same_bytes(
    home: Path, tmp_path: Path, corpus: list[Row]
) -> None:
    chance, folder = random.Random(SEED), tmp_path / "office"  # noqa: S311 - moments, not secrets
    folder.mkdir()
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows(corpus, 4000), ("多", "出", "一", "格", "的")])
    command = [sys.executable, "/tmp/jbmain.py", "batch", "in.csv", "out.csv", "--workers", "2", "--chunk", "100"]
    command += ["--now", NOW, "--quiet", "--resume"]
    own = environment(home)

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=folder, env=own, stderr=subprocess.PIPE, start_new_session=True)

    begun = time.monotonic()
    with started() as process:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    usual = time.monotonic() - begun
    whole, kills = contents(folder), 0
    assert len(whole) == 4
    for _ in range(ROUNDS):
        for path in folder.glob("out*"):
            path.unlink()
        over = False
        while not over:
            with started() as process:
                try:
                    over = process.wait(chance.uniform(0.3, 1.0) * usual) == 0
                    assert over
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    kills += 1
        assert contents(folder) == whole
        assert not (folder / "out.csv.jiesu").exists()
    assert kills >= ROUNDS
    if RESULTS:
        line = {"name": "faults.kill_batch", "value": ROUNDS, "unit": "identical outputs", "kills": kills,
                "date": date.today().isoformat()}  # fmt: skip
        with Path(RESULTS).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def test_a_full_disk_leaves_nothing_under_the_name(home: Path, tmp_path: Path, corpus: list[Row]) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows(corpus, 3000)])
    batch = f'cd {folder} && "{sys.executable}" /tmp/jbmain.py batch {tmp_path}/in.csv out.csv --quiet --chunk 200'
    script = (
        f"mount -t tmpfs -o size=600k tmpfs {folder}; {batch}; echo rc=$?; ls {folder};"
        f"mount -o remount,size=64m {folder}; {batch} --resume; echo rc=$?; ls {folder}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], env=environment(home), capture_output=True, text=True, check=False
    )
    first, second = done.stdout.split("rc=")[1:]
    assert first.splitlines() == ["2", "out.csv.jiesu"], done.stderr
    assert "--resume" in done.stderr
    assert second.splitlines()[:2] == ["0", "out.csv"], done.stderr


def test_asked_to_stop_it_ends_after_its_chunk_with_1(home: Path, tmp_path: Path, corpus: list[Row]) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows(corpus, 20_000)])
    command = [sys.executable, "/tmp/jbmain.py", "batch", "in.csv", "out.csv", "--workers", "2", "--chunk", "100"]
    with subprocess.Popen(
        [*command, "--text", "诉求内容"], cwd=folder, env=environment(home), stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        ledger = folder / "out.csv.jiesu" / "ledger.jsonl"
        until = time.monotonic() + 300
        while time.monotonic() < until and (not ledger.exists() or ledger.read_bytes().count(b"\n") < 3):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C: everybody hears it, the workers too
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert not (folder / "out.csv").exists()
