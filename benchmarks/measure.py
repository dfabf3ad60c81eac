"""How a figure is taken and told."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured value; `ratio` is value / baseline where there is one."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    machine: str = ""


def machine() -> str:
    """The processor and its cores, in words."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def figure(name: str, value: float, unit: str, baseline: float | None = None) -> Figure:
    """A figure of this machine."""
    ratio = round(value / baseline, 3) if baseline else None
    return Figure(name, round(value, 3), unit, round(baseline, 3) if baseline else None, ratio, machine())


def tell(found: Figure) -> None:
    """Print one JSON line."""
    print(json.dumps(asdict(found), ensure_ascii=False), flush=True)


def rates(works: dict[str, Callable[[], object]], items: int, rounds: int = 7) -> dict[str, float]:
    """Items a second of each work, the works taken in turn so that a busy machine slows all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begun)
    return {name: items / statistics.median(taken) for name, taken in seconds.items()}
