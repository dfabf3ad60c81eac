"""Cost and memory of `jiesu decide` on a stream, from a thousand petitions to many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import figure, tell
from benchmarks.petitions import own

SHORT = (1_000, 10_000, 30_000)
LONG = (1_000, 10_000, 100_000, 1_000_000)


def write(path: Path, count: int) -> None:
    """A file of so many petitions, our own ones over and over."""
    petitions = own()
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            petition = petitions[number % len(petitions)]
            row = {"id": str(number), "title": petition.title, "text": petition.text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def run(*, soak: bool = False) -> None:
    """Print microseconds a petition and the largest memory for each size; start-up is taken off."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "petitions.jsonl"
        write(path, 1)
        start, _ = decide(path)
        first: float | None = None
        for count in LONG if soak else SHORT:
            write(path, count)
            seconds, memory = decide(path)
            cost = 1e6 * (seconds - start) / count
            first = first or cost
            tell(figure(f"growth.{count}.cost", cost, "µs/petition", first))
            tell(figure(f"growth.{count}.resident", memory, "MiB"))


def decide(path: Path) -> tuple[float, float]:
    """Seconds and the largest resident memory (MiB) of one run over a file."""
    command = [sys.executable, "-m", "jiesu", "decide", str(path), "--no-evidence"]
    begun = time.perf_counter()
    with Path("/dev/null").open("wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"jiesu decide failed: {status}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024
