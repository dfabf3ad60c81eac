"""Audit: what is wrong with a catalogue though every row of it can be read — gaps, overlaps, rows without effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from nlp.route.catalogue import Catalogue, Row
from nlp.taxonomy import Taxonomy

TIER = frozenset({"tier"})
GAP, OVERLAP, EXPIRED, UNREACHABLE = "缺口", "相交", "过期", "不可达"


@dataclass(frozen=True, order=True)
class Finding:
    """One fault: the line of the row that it is about (0 where a row is missing), its kind, and what it is."""

    line: int
    kind: str
    told: str


def audit(catalogue: Catalogue, taxonomy: Taxonomy, today: date) -> list[Finding]:
    """All faults from a day on, by line."""
    return sorted(
        {
            *gaps(catalogue, taxonomy, today), *expired(catalogue, today),
            *overlaps(catalogue, today), *unreachable(catalogue, taxonomy, today),
        }
    )  # fmt: skip


def gaps(catalogue: Catalogue, taxonomy: Taxonomy, today: date) -> Iterator[Finding]:
    """Categories and tiers that, on a day from now on, no row without further conditions holds for."""
    days = sorted({today, *(day for day in catalogue.changes if day > today)})
    for label in taxonomy.labels("category"):
        missing = {
            tier: day
            for tier in taxonomy.codes("tier")
            for day in reversed(days)
            if not any(_takes_all(row, tier) and row.in_force(day) for row in catalogue.of(label.code))
        }
        if missing:
            first = min(missing.values())
            told = f"{label.code}（{label.name}）在 {'、'.join(missing)} 层级没有兜底的条目，自 {first} 起"
            yield Finding(0, GAP, told)


def expired(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    """Rows that went out of force."""
    for row in catalogue.rows:
        if row.end and row.end < today:
            yield Finding(row.line, EXPIRED, f"{row.number} 已于 {row.end} 失效")


def overlaps(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    """Rows that ask about the same things, share matters and send them to different units.

    One that is wholly inside the other is not meant: a finer row before a coarser one is how a catalogue is written.
    """
    rows = [row for row in catalogue.rows if row.end is None or row.end >= today]
    for first, second in combinations(rows, 2):
        if first.lead == second.lead or not _at_one_time(first, second) or not first.meets(second):
            continue
        if not (second.contains(first) or first.contains(second)) or set(first.constrained) == {"category"}:
            other = f"第 {first.line} 行 {first.number}（{first.lead}）"
            told = f"{second.number}（{second.lead}）与{other}有共同的事项，先写的生效"
            yield Finding(second.line, OVERLAP, told)


def unreachable(catalogue: Catalogue, taxonomy: Taxonomy, today: date) -> Iterator[Finding]:
    """Rows for which, at every tier that they are for, an earlier row always decides."""
    tiers = taxonomy.codes("tier")
    for place, row in enumerate(catalogue.rows):
        if row.end and row.end < today:
            continue
        before = [other for other in catalogue.rows[:place] if _outlasts(other, row, today)]
        hiding = {tier: _hider(before, row, tier) for tier in (row.tier or tiers)}
        if all(hiding.values()):
            lines = sorted({other.line for other in hiding.values() if other})
            told = f"{row.number} 永远轮不到：第 {'、'.join(map(str, lines))} 行在前，条件更宽"
            yield Finding(row.line, UNREACHABLE, told)


def _takes_all(row: Row, tier: str) -> bool:
    return row.constrained <= {"category", "tier"} and (not row.tier or tier in row.tier)


def _at_one_time(one: Row, other: Row) -> bool:
    return (one.end is None or other.start <= one.end) and (other.end is None or one.start <= other.end)


def _outlasts(earlier: Row, row: Row, today: date) -> bool:
    """Whether an earlier row is in force on all days from now on on which a row is."""
    begins = earlier.start <= max(row.start, today)
    return begins and (earlier.end is None or (row.end is not None and row.end <= earlier.end))


def _hider(before: list[Row], row: Row, tier: str) -> Row | None:
    """The first of the rows that takes everything that a row would take at a tier."""
    wide = (other for other in before if not other.tier or tier in other.tier)
    return next((other for other in wide if other.contains(row, but=TIER)), None)
