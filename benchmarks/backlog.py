"""`jiesu batch`: two cores against one, against bare deciding, workbooks read, and growth with the number of rows."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median

import xlsxwriter

from benchmarks.measure import figure, rates, tell
from benchmarks.petitions import decider, options, own
from corpora.moments import CHINA
from corpora.rows.open import open_rows

HEAD = ("工单编号", "标题", "诉求内容", "受理时间")
SIZES = (5_000, 45_000)  # rows of the comparison between one core and two
ROUNDS = 3  # of it
SHEET = 30_000  # rows of the workbook that is read
SHORT = (10_000, 40_000)
LONG = (10_000, 100_000, 1_000_000, 5_000_000)
RECEIVED = datetime(2026, 11, 20, 8, 30, tzinfo=CHINA)
NOW = "2026-11-22T09:00:00+00:00"
PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 0.2  # seconds between two looks at memory


def records(count: int) -> Iterator[tuple[str, str, str, str]]:
    """Our own petitions over and over."""
    petitions = own()
    for number in range(count):
        petition = petitions[number % len(petitions)]
        yield str(number), petition.title, petition.text, f"{RECEIVED:%Y-%m-%d %H:%M}"


def write(path: Path, count: int) -> None:
    """A CSV file of so many rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(HEAD)
        csv.writer(file).writerows(records(count))


def run(*, soak: bool = False) -> None:
    """Print the ratios and the growth; `soak` goes up to five million rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _cores(folder)
        _workbook(folder)
        _growth(folder, batch(folder, 1, 2)[0], LONG if soak else SHORT)


def _cores(folder: Path) -> None:
    """Rows a second by one process and by two, and of `decide` alone.

    Two sizes, so that start-up falls out. Each ratio is the median of those of one round: a machine that is slow for a
    while is slow for all of it.
    """
    petitions = [replace(petition, received_at=RECEIVED) for petition in own()]
    ready, quick = decider(), options(evidence=False)
    rounds = []
    for _ in range(ROUNDS):
        bare = rates({"decide": lambda: ready.decide(petitions, quick)}, len(petitions))["decide"]
        rounds.append((bare, *(_rate(folder, workers) for workers in (1, 2))))
    bare, one, two = map(median, zip(*rounds, strict=True))
    tell(replace(figure("backlog.two_cores", two, "rows/s", one), ratio=_ratio(rounds, 2, 1)))
    tell(replace(figure("backlog.of_bare_decide", one, "rows/s", bare), ratio=_ratio(rounds, 1, 0)))


def _rate(folder: Path, workers: int) -> float:
    """Rows a second, start-up apart."""
    few, many = (batch(folder, count, workers)[0] for count in SIZES)
    return (SIZES[1] - SIZES[0]) / (many - few)


def _ratio(rounds: Sequence[tuple[float, ...]], of: int, to: int) -> float:
    return round(median(one[of] / one[to] for one in rounds), 3)


def _workbook(folder: Path) -> None:
    """Rows a second out of a workbook, before anything is decided."""
    path = folder / "in.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([HEAD, *records(SHEET)]):
            sheet.write_row(number, 0, cells)
    begun = time.perf_counter()
    count = sum(1 for _ in open_rows(path).rows())
    tell(figure("backlog.xlsx_in", count / (time.perf_counter() - begun), "rows/s"))


def _growth(folder: Path, start: float, counts: tuple[int, ...]) -> None:
    """Cost of a row and the memory of all processes together, from few rows to many."""
    first: float | None = None
    least: float | None = None
    for count in counts:
        seconds, memory = batch(folder, count, 2)
        cost = 1e6 * (seconds - start) / count
        first, least = first or cost, least or memory
        tell(figure(f"backlog.growth.{count}.cost", cost, "µs/row", first))
        tell(figure(f"backlog.growth.{count}.resident", memory, "MiB, all processes", least))


def batch(folder: Path, count: int, workers: int) -> tuple[float, float]:
    """Seconds and the largest resident memory (MiB, all processes together) of one run over so many rows."""
    source, out = folder / "in.csv", folder / "out.csv"
    write(source, count)
    command = [sys.executable, "-m", "jiesu", "batch", str(source), str(out), "--overwrite", "--quiet"]
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", str(workers), "--now", NOW])
    most = [0]
    watcher = threading.Thread(target=_watch, args=(process, most))
    watcher.start()
    process.wait()
    seconds = time.perf_counter() - begun
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"jiesu batch failed: {process.returncode}")
    out.unlink()
    return seconds, most[0] * PAGE / 2**20


def _watch(process: subprocess.Popen[bytes], most: list[int]) -> None:
    while process.poll() is None:
        most[0] = max(most[0], sum(map(_resident, _family(process.pid))))
        time.sleep(EVERY)


def _family(parent: int) -> list[int]:
    """A process and its children."""
    found = [parent]
    with suppress(OSError):
        found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return found


def _resident(process: int) -> int:
    """Pages of a process that are in memory; shared ones are counted for each."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
