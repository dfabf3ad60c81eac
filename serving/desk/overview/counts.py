"""Counts: how many decisions there are, by category, tier, area and unit, step by step; from one index, no contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, case, cast, func, select

from serving.desk.overview.window import DAY, NOWHERE, Asked
from serving.store import tables

UNITS = 8  # that are shown; the rest are counted together


@dataclass(frozen=True)
class Series:
    """The counts of one category, tier or area, a step each. before: the whole of them in the window before."""

    code: str
    counts: list[int]
    before: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts)


@dataclass(frozen=True)
class Counts:
    """The decisions of a window, the larger series first. before: total, human, red of the window before."""

    category: list[Series]
    tier: list[Series]
    area: list[Series]
    red: list[Series]
    units: list[tuple[str, int]]
    channels: list[tuple[str, int]]
    human: int
    before: tuple[int, int, int]

    @property
    def total(self) -> int:
        """All decisions."""
        return sum(series.total for series in self.category)

    @property
    def red_total(self) -> int:
        """Those that crossed a red line."""
        return sum(series.total for series in self.red)


def counted(connection: Connection, asked: Asked) -> Counts:
    """Count the decisions of a window, and of the one before."""
    column = tables.decisions.c
    human = func.sum(case((column.needs_human, 1), else_=0))
    decided = list(_grouped(connection, asked, [column.category, column.tier], human, by_step=True))
    placed = list(_grouped(connection, asked, [column.area, column.channel], by_step=True))
    red = list(_grouped(connection, asked, [column.red_line], by_step=True, more=[column.red_line.is_not(None)]))
    units = Counter({row[0]: row[-1] for row in _grouped(connection, asked, [column.unit])})
    before = list(
        _grouped(connection, asked.before, [column.category, column.tier, column.area, column.red_line], human)
    )
    steps = len(asked.steps)
    return Counts(
        category=_series(((row[0], row[1], row[-1]) for row in decided), steps, _tally(before, 0)),
        tier=_series(((row[0], row[2], row[-1]) for row in decided), steps, _tally(before, 1)),
        area=_series(((row[0], row[1] or NOWHERE, row[-1]) for row in placed), steps, _tally(before, 2, NOWHERE)),
        red=_series(((row[0], row[1], row[-1]) for row in red), steps, _tally(before, 3)),
        units=_most(units, UNITS), channels=_tally(placed, 2).most_common(),
        human=sum(int(row[3]) for row in decided),
        before=(sum(row[-1] for row in before), sum(int(row[4]) for row in before), _tally(before, 3).total()),
    )  # fmt: skip


def _grouped(
    connection: Connection,
    asked: Asked,
    columns: list[Any],
    *sums: Any,
    by_step: bool = False,
    more: Iterable[Any] = (),
) -> Iterable[tuple[Any, ...]]:
    """The step (where asked for), the columns, the sums and the number of decisions, for each group."""
    at = tables.decisions.c.at
    day = cast((at + asked.offset) // DAY, Integer).label("day")
    groups = [day, *columns] if by_step else columns
    query = select(*groups, *sums, func.count()).where(asked.window.spans(at), *asked.only, *more).group_by(*groups)
    places = asked.places() if by_step else {}
    for row in connection.execute(query):
        yield (places[row[0]], *row[1:]) if by_step else tuple(row)


def _series(rows: Iterable[tuple[int, str, int]], steps: int, before: Counter[str]) -> list[Series]:
    """The series of each code, the larger first."""
    found: dict[str, list[int]] = {}
    for step, code, count in rows:
        found.setdefault(code, [0] * steps)[step] += count
    series = [Series(code, counts, before[code]) for code, counts in found.items()]
    return sorted(series, key=lambda one: (-one.total, one.code))


def _tally(rows: Iterable[tuple[Any, ...]], place: int, nothing: str = "") -> Counter[str]:
    """Code → decisions; those without one are left out, or go by another name."""
    tally: Counter[str] = Counter()
    for row in rows:
        if code := row[place] or nothing:
            tally[code] += row[-1]
    return tally


def _most(tally: Counter[str], many: int) -> list[tuple[str, int]]:
    """The largest, the rest together under an empty name."""
    ordered = sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(count for _, count in ordered[many:])
    return ordered[:many] + ([("", rest)] if rest else [])
