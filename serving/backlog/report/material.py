"""Material: everything that page, record and workbook tell of a change, made once for them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from nlp.former import Former
from nlp.taxonomy import Taxonomy
from serving.backlog.flows import OVERFLOW
from serving.backlog.label import tidy
from serving.backlog.plan import Plan
from serving.backlog.tally import BEFORE, BINS, SURE, Tally

Word = TypeVar("Word", str, tuple[str, str])
LIKELY = 3  # categories that an old label is told to stand for
NOWHERE, UNKNOWN_UNIT = "（没有旧标签）", "（未定）"


@dataclass(frozen=True)
class Change:
    """The rows of one old label that get one category.

    confidence: the mean, which is the share that is right if the model is as sure as it is right. same: nothing
    changes, the old label is this category already.
    """

    old: str
    code: str
    name: str
    rows: int
    human: int
    confidence: float
    bins: tuple[int, ...]
    same: bool


@dataclass(frozen=True)
class Crossing:
    """What an old label stands for: the likeliest categories with their shares, and how much it narrows the answer."""

    old: str
    rows: int
    reliability: float
    likely: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Material:
    """A tally with its plan and the names of the active taxonomy; former: none where no old labels are weighed."""

    tally: Tally
    plan: Plan
    taxonomy: Taxonomy
    former: Former | None = None

    @property
    def labelled(self) -> bool:
        """Whether the source has old labels."""
        return bool(self.plan.roles.get("category"))

    @property
    def answered(self) -> int:
        """Rows that have a decision."""
        return self.tally.decided + self.tally.human

    @cached_property
    def names(self) -> dict[str, str]:
        """Code of a category → its path."""
        return {code: "/".join(path) for code, path in self.taxonomy.paths.items()}

    @cached_property
    def clocks(self) -> dict[str, str]:
        """Code of a clock → its name."""
        return {label.code: label.name for label in self.taxonomy.clocks}

    @cached_property
    def _spelled(self) -> dict[str, set[str]]:
        """Code of a category → everything that an old label for the same thing may be."""
        paths = self.taxonomy.paths
        return {
            label.code: {label.code, label.name, tidy(tuple(paths[label.code]))} for label in self.taxonomy.categories
        }

    @cached_property
    def changes(self) -> list[Change]:
        """Every flow from an old label to a category, the largest first."""
        found = [
            Change(
                old,
                code,
                self.names.get(code, code),
                numbers[0],
                numbers[1],
                numbers[2] / SURE / max(1, numbers[0]),
                tuple(numbers[BEFORE:]),
                old in self._spelled.get(code, ()),
            )
            for old, targets in self.tally.labels.items()
            for code, numbers in targets.items()
        ]
        return sorted(found, key=lambda one: (-one.rows, one.old, one.code))

    @property
    def moved(self) -> list[Change]:
        """The flows that change something."""
        return [one for one in self.changes if not one.same]

    @cached_property
    def crossings(self) -> list[Crossing]:
        """Every old label that was learned, the most frequent first."""
        former, rows = self.former, self._rows
        if former is None:
            return []
        order = np.argsort(-former.shares, axis=1, kind="stable")[:, :LIKELY].tolist()
        found = [
            Crossing(
                old,
                rows.get(old, 0),
                float(former.reliability[place]),
                tuple((self.names[former.categories[one]], float(former.shares[place, one])) for one in order[place]),
            )
            for place, old in enumerate(former.labels)
        ]
        return sorted(found, key=lambda one: (-one.rows, one.old))

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Old label → its rows."""
        return {old: sum(numbers[0] for numbers in targets.values()) for old, targets in self.tally.labels.items()}

    @cached_property
    def unknown(self) -> list[tuple[str, int]]:
        """Old labels that neither the active taxonomy nor the learned crosswalk knows: their rows, decided by text."""
        known = {name for names in self._spelled.values() for name in names} | {"", OVERFLOW}
        former = self.former or ()
        found = [(old, rows) for old, rows in self._rows.items() if old not in known and old not in former]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    @cached_property
    def bins(self) -> list[tuple[int, int]]:
        """By tenth of confidence: rows that change, and other rows."""
        moved, others = [0] * BINS, [0] * BINS
        changing = {(one.old, one.code) for one in self.moved}
        for one in self.changes:
            held = moved if (one.old, one.code) in changing else others
            for place, rows in enumerate(one.bins):
                held[place] += rows
        return list(zip(moved, others, strict=True))

    @cached_property
    def units(self) -> list[tuple[str, int, int]]:
        """Each answered unit with its rows and those that need a human, the busiest first."""
        rows, human = Counter[str](), Counter[str]()
        for targets in self.tally.units.values():
            for unit, numbers in targets.items():
                rows[unit or UNKNOWN_UNIT] += numbers[0]
                human[unit or UNKNOWN_UNIT] += numbers[1]
        return [(unit, count, human[unit]) for unit, count in _ranked(rows.items())]

    @cached_property
    def handed(self) -> list[tuple[tuple[str, str], int]]:
        """(old unit, new unit) with the rows that go from one to the other; none without a column of old units."""
        moves = {
            (old, unit or UNKNOWN_UNIT): numbers[0]
            for old, targets in self.tally.units.items()
            for unit, numbers in targets.items()
            if old and old != unit
        }
        return _ranked(moves.items())

    @cached_property
    def by_clock(self) -> list[tuple[str, int]]:
        """The name of each clock with its rows."""
        rows = Counter[str]()
        for targets in self.tally.days.values():
            for clock, numbers in targets.items():
                rows[self.clocks.get(clock, clock)] += numbers[0]
        return _ranked(rows.items())

    @cached_property
    def months(self) -> list[tuple[str, int]]:
        """Each month in which rows are due, in order, with their number."""
        rows = Counter[str]()
        for day, targets in self.tally.days.items():
            if day:
                rows[day[:7]] += sum(numbers[0] for numbers in targets.values())
        return sorted(rows.items())

    @property
    def overdue(self) -> int:
        """Rows whose day was over at the plan's moment."""
        today = self.plan.time.date().isoformat()
        days = self.tally.days.items()
        return sum(numbers[0] for day, targets in days if "" < day < today for numbers in targets.values())


def _ranked(counts: Iterable[tuple[Word, int]]) -> list[tuple[Word, int]]:
    return sorted(counts, key=lambda one: (-one[1], one[0]))


def share(part: int, whole: int) -> float:
    """A share; 0 of nothing is 0."""
    return part / whole if whole else 0.0


def mean(changes: Sequence[Change]) -> float:
    """The mean confidence of all their rows."""
    return sum(one.confidence * one.rows for one in changes) / max(1, sum(one.rows for one in changes))
