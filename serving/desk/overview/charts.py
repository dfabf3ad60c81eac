"""Charts: where each bar and line of a picture lies; the templates draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720.0, 240.0
WIDE = 1280.0, 260.0  # of a picture that has the whole width of a page
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 10.0, 24.0
LOW = 150.0  # below, an axis has fewer names
NAMED = 96.0  # beside a chart of lines, for the name of each
APART = 58.0  # between two names of an axis
ROUND = (1, 2, 2.5, 5, 10)
KINDS = 8  # patterns that the templates have
Link = Callable[[int, int], str]
"""The address of what a mark counts: which series, which step."""


@dataclass(frozen=True)
class Tick:
    """A named place of an axis."""

    at: float
    name: str


@dataclass(frozen=True)
class Mark:
    """A bar, or the point of a line. kind: which pattern; title: what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: int
    title: str
    href: str


@dataclass(frozen=True)
class Line:
    """A line through the points that are there: a path for each part without gaps. name: written beside its end."""

    name: str
    kind: int
    paths: list[str]
    points: list[Mark]
    end: float


@dataclass(frozen=True)
class Chart:
    """A picture: its size, axes and marks. limit: how high a limit lies, where there is one."""

    width: float
    height: float
    base: float
    left: float
    right: float
    across: list[Tick]
    up: list[Tick]
    marks: list[Mark]
    lines: list[Line]
    limit: float | None = None


def ticks(top: float, many: int = 4, *, whole: bool = False) -> list[float]:
    """Round numbers from 0 to the first one that is not below the largest value; about as many steps as wanted.

    whole: of things that are counted, which come in no halves.
    """
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / many))
    steps = [power * factor for factor in ROUND if not whole or power * factor == round(power * factor)]
    step = next((step for step in steps if step * many >= top * (1 - 1e-9)), 1.0)
    return [step * place for place in range(math.ceil(top / step - 1e-9) + 1)]


def stacked(
    names: Sequence[str], counts: Sequence[Sequence[int]], steps: Sequence[str], link: Link, size: tuple[float, float]
) -> Chart:
    """Bars, a step each, the series one above the other; link: series, step → address."""
    width, height = size
    totals = [sum(column) for column in zip(*counts, strict=True)]
    up = ticks(max(totals, default=0), 4 if height > LOW else 2, whole=True)
    scale = (height - TOP - BOTTOM) / up[-1]
    pitch = (width - LEFT - RIGHT) / max(1, len(steps))
    base = height - BOTTOM
    marks = []
    for step, name in enumerate(steps):
        low = base
        for series, one in enumerate(counts):
            if one[step]:
                tall = one[step] * scale
                low -= tall
                title = f"{name} {names[series]}：{one[step]}".strip()
                x = LEFT + pitch * (step + 0.1)
                marks.append(Mark(x, low, pitch * 0.8, tall, series % KINDS, title, link(series, step)))
    across = _named(steps, pitch, LEFT)
    return Chart(width, height, base, LEFT, width - RIGHT, across, _scale(up, base, scale), marks, [])


def lines(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    steps: Sequence[str],
    link: Link,
    show: Callable[[float], str],
    *,
    size: tuple[float, float] = (WIDTH, HEIGHT),
    limit: float | None = None,
) -> Chart:
    """A line for each series; limit: a value that the axis must reach."""
    width, height = size
    known = [value for one in values for value in one if value is not None]
    up = ticks(max([*known, limit or 0.0], default=0.0))
    base, scale = height - BOTTOM, (height - TOP - BOTTOM) / up[-1]
    pitch = (width - LEFT - NAMED) / max(1, len(steps))
    drawn = []
    for kind, (name, one) in enumerate(zip(names, values, strict=True)):
        points = [
            Mark(LEFT + pitch * (step + 0.5), base - value * scale, 0, 0, kind, f"{steps[step]} {name}：{show(value)}",
                 link(kind, step))
            for step, value in enumerate(one) if value is not None
        ]  # fmt: skip
        drawn.append(Line(name, kind, _paths(one, points), points, points[-1].y if points else base))
    across = _named(steps, pitch, LEFT)
    named, high = _scale(up, base, scale, show), None if limit is None else base - limit * scale
    return Chart(width, height, base, LEFT, width - NAMED, across, named, [], _spread(drawn), high)


def shares(values: Sequence[float]) -> list[float]:
    """The lengths of horizontal bars, in percent of the longest."""
    longest = max(values, default=0.0)
    return [round(100 * value / longest, 1) if longest else 0.0 for value in values]


def _paths(values: Sequence[float | None], points: Sequence[Mark]) -> list[str]:
    """A polyline for each run of values without a gap."""
    runs: list[list[str]] = [[]]
    left = iter(points)
    for value in values:
        if value is None:
            runs.append([])
        else:
            point = next(left)
            runs[-1].append(f"{point.x:.1f},{point.y:.1f}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _spread(drawn: Sequence[Line]) -> list[Line]:
    """The names beside the ends, moved apart where they would cover each other."""
    found, before = [], -math.inf
    for line in sorted(drawn, key=lambda line: line.end):
        before = max(line.end, before + 15)
        found.append(Line(line.name, line.kind, line.paths, line.points, before))
    return found


def _named(steps: Sequence[str], pitch: float, left: float) -> list[Tick]:
    """As many of the steps' names as have room, evenly."""
    every = max(1, math.ceil(APART / pitch)) if pitch else 1
    return [Tick(left + pitch * (at + 0.5), name) for at, name in enumerate(steps) if at % every == 0]


def _scale(up: Sequence[float], base: float, scale: float, show: Callable[[float], str] | None = None) -> list[Tick]:
    return [Tick(base - value * scale, show(value) if show else f"{value:,g}") for value in up]
