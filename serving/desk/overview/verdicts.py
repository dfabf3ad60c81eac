"""Verdicts: how often decisions were accepted, corrected and returned, by when the last word on them was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, cast, func, select

from serving.desk.overview.window import DAY, Asked
from serving.indicators import VERDICTS, latest
from serving.store import tables

MOST = 8  # corrections that are shown


@dataclass(frozen=True)
class Said:
    """What was said. steps: verdict → how many in each step. corrections: from, to, how often; the most frequent."""

    steps: dict[str, list[int]]
    category: dict[str, Counter[str]]
    corrections: list[tuple[str, str, int]]
    before: Counter[str]

    @property
    def total(self) -> int:
        """Decisions of which anything was said."""
        return sum(map(sum, self.steps.values()))

    def count(self, verdict: str) -> int:
        """Decisions with this as the last word."""
        return sum(self.steps[verdict])

    def rate(self, verdict: str) -> float | None:
        """The share of a verdict; none where nothing was said."""
        return self.count(verdict) / self.total if self.total else None

    def rate_before(self, verdict: str) -> float | None:
        """The same in the window before."""
        return self.before[verdict] / self.before.total() if self.before.total() else None

    def rates(self, verdict: str) -> list[float | None]:
        """The share of a verdict in each step."""
        wholes = [sum(counts) for counts in zip(*self.steps.values(), strict=True)]
        return [part / whole if whole else None for part, whole in zip(self.steps[verdict], wholes, strict=True)]


def heard(connection: Connection, asked: Asked) -> Said:
    """What was said within a window of the decisions that are meant, whenever these were made."""
    said, decided = tables.feedback.c, tables.decisions.c
    day = cast((said.at + asked.offset) // DAY, Integer).label("day")
    joined = tables.feedback.join(tables.decisions, decided.id == said.decision)
    mine = said.id.in_(latest(asked.window)), *asked.only
    groups = day, decided.category, said.verdict
    steps = {verdict: [0] * len(asked.steps) for verdict in VERDICTS}
    category: dict[str, Counter[str]] = {}
    places = asked.places()
    for at, code, verdict, count in connection.execute(
        select(*groups, func.count()).select_from(joined).where(*mine).group_by(*groups)
    ):
        steps[verdict][places[at]] += count
        category.setdefault(code, Counter())[verdict] += count
    pair = decided.category, said.category
    moved = said.verdict == "corrected", said.category != decided.category
    often = select(*pair, func.count()).select_from(joined).where(*mine, *moved).group_by(*pair)
    corrections = connection.execute(often.order_by(func.count().desc(), *pair).limit(MOST))
    earlier = said.id.in_(latest(asked.before.window)), *asked.only
    before = connection.execute(
        select(said.verdict, func.count()).select_from(joined).where(*earlier).group_by(said.verdict)
    )
    return Said(steps, category, [tuple(row) for row in corrections], Counter({row[0]: row[1] for row in before}))
