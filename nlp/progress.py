"""Progress for another process: a long command tells on stderr, line by line, how far it is.

With the variable `JIESU_PROGRESS=lines` it writes lines like `#progress {"step":"训练","done":3,"total":10}` instead of
a bar; everything else on stderr is meant for people, as ever.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, dataclass

import orjson

VARIABLE, LINES = "JIESU_PROGRESS", "lines"
MARK = "#progress "
EVERY = 0.25  # seconds between two lines of one step


@dataclass(frozen=True)
class Progress:
    """What is being done, and how much of it; total 0: nobody knows."""

    step: str
    done: float = 0
    total: float = 0

    @property
    def part(self) -> float | None:
        """Of the step, 0 to 1; none where nobody knows."""
        return max(0.0, min(1.0, self.done / self.total)) if self.total > 0 else None

    @property
    def line(self) -> str:
        """As it is written, without the line's end."""
        return MARK + orjson.dumps(asdict(self)).decode()


def wanted() -> bool:
    """Whether somebody reads progress line by line."""
    return os.environ.get(VARIABLE) == LINES


def tell(step: str, done: float = 0, total: float = 0) -> None:
    """Write a line, where somebody reads them."""
    if wanted():
        print(Progress(step, done, total).line, file=sys.stderr, flush=True)  # noqa: T201


def heard(line: str) -> Progress | None:
    """The progress that a line tells; none where it is a line for people, or cut short."""
    if not line.startswith(MARK):
        return None
    try:
        told = orjson.loads(line.removeprefix(MARK))
        return Progress(str(told["step"]), float(told["done"]), float(told["total"]))
    except (ValueError, KeyError, TypeError):
        return None


class Counter:
    """Counts the steps of something and tells of them, not too often."""

    def __init__(self, doing: str) -> None:
        self._now = Progress(doing)
        self._told_at = 0.0
        tell(doing)

    def at(self, step: str, done: float, total: float) -> None:
        """So much of a step is done."""
        before, self._now = self._now, Progress(step, done, total)
        now = time.monotonic()
        if before.step != step or done >= total or now - self._told_at >= EVERY:
            self._told_at = now
            tell(step, done, total)

    def __call__(self, step: str, steps: int) -> None:
        """As fits count: a new step of so many parts, or, below zero, so many parts of the present one done."""
        if steps > 0:
            self.at(step, 0, steps)
        else:
            self.at(step, self._now.done - steps, self._now.total)
