"""A tally: what a run comes to, counted chunk by chunk; the order in which chunks are added does not matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from corpora.moments import moment
from nlp.decision import Decision
from serving.backlog.answers import Answered
from serving.backlog.flows import Flows, add, bound, numbers
from serving.backlog.label import Labels, same
from serving.backlog.plan import Plan
from serving.backlog.sample import CHANGED, KEPT, Drawn, drawn, least, rank

BINS = 10  # of confidence, 0.0–0.1 and so on
SURE = 10_000  # a confidence of 1: whole numbers add up to the same in any order
BEFORE = 3  # numbers of a label's flow that stand before its bins
OWN = re.compile(r"[：，。“].*", re.DOTALL)  # what is one row's own in a reason
DIGITS = re.compile(r"\s*\d[\d.]*\s*")
FLOWS = ("labels", "units", "deadlines", "days", "reasons", "rejects")
Candidate = tuple[str, Answered, str]
"""A row with its rank and its old label."""
NUMBERS = ("read", "decided", "human", "rejected", "changed", "changed_human", "unlabelled", "unread")
EARLIER, SAME, LATER, WITHOUT = "提前", "不变", "推后", "无法比较"


@dataclass(frozen=True)
class Tally:
    """Counts of rows; always read = decided + human + rejected.

    changed: rows whose old label is not their new category, or that have none; changed_human: those of them that need
    a human. unlabelled: those of them without an old label. unread: rows whose time nobody can read.
    labels: old label → new code → rows, those that need a human, their confidences together in 1/`SURE`, and rows by
    tenth of confidence.
    units: old unit (empty where none is known) → new unit → rows, those that need a human. deadlines: how the new one
    lies to the old → clock → rows. days: day on which rows are due, if that is known → clock → rows.
    reasons: why a human is needed → clock → rows. rejects: reason → sheet → rows.
    sample, kept: rows for review by chance, of those that change, and of the others.
    """

    read: int = 0
    decided: int = 0
    human: int = 0
    rejected: int = 0
    changed: int = 0
    changed_human: int = 0
    unlabelled: int = 0
    unread: int = 0
    labels: Flows = field(default_factory=dict)
    units: Flows = field(default_factory=dict)
    deadlines: Flows = field(default_factory=dict)
    days: Flows = field(default_factory=dict)
    reasons: Flows = field(default_factory=dict)
    rejects: Flows = field(default_factory=dict)
    sample: tuple[Drawn, ...] = ()
    kept: tuple[Drawn, ...] = ()

    @classmethod
    def of(cls, plan: Plan, answered: Sequence[Answered]) -> Tally:
        """The tally of a chunk."""
        counting = _Counting(plan)
        for one in answered:
            counting.add(one)
        return cls.total([counting.tally])

    @classmethod
    def total(cls, every: Iterable[Tally]) -> Tally:
        """All of them as one, faster than one after the other; none gives an empty one."""
        counted = dict.fromkeys(NUMBERS, 0)
        flows: dict[str, Flows] = {name: {} for name in FLOWS}
        sample: tuple[Drawn, ...] = ()
        kept: tuple[Drawn, ...] = ()
        for one in every:
            counted = {name: number + getattr(one, name) for name, number in counted.items()}
            for name, counts in flows.items():
                add(counts, getattr(one, name))
                bound(counts)
            sample, kept = least(sample + one.sample, CHANGED), least(kept + one.kept, KEPT)
        held: dict[str, Any] = {**counted, **flows, "sample": sample, "kept": kept}
        return cls(**held)

    def merged(self, other: Tally) -> Tally:
        """Both as one."""
        return Tally.total((self, other))

    def as_dict(self) -> dict[str, Any]:
        """The tally as JSON holds it: equal tallies give equal bytes once their keys are sorted."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Tally:
        """The tally that `as_dict` gave."""
        drawn = {name: tuple(Drawn(**one) for one in held[name]) for name in ("sample", "kept")}
        return cls(**dict(held) | drawn)


class _Counting:
    """One chunk as it is counted."""

    def __init__(self, plan: Plan) -> None:
        self._labels = Labels(plan)
        self._key = bytes.fromhex(plan.id)
        self._numbers = dict.fromkeys(NUMBERS, 0)
        self._flows: dict[str, Flows] = {name: {} for name in FLOWS}
        self._sample: list[Candidate] = []
        self._kept: list[Candidate] = []
        self._timed = bool(plan.roles.get("time"))
        self._due = bool(plan.roles.get("deadline"))

    @property
    def tally(self) -> Tally:
        sample, kept = _drawn(self._sample, CHANGED), _drawn(self._kept, KEPT)
        held: dict[str, Any] = {**self._numbers, **self._flows, "sample": sample, "kept": kept}
        return Tally(**held)

    def add(self, one: Answered) -> None:
        counted = self._numbers
        counted["read"] += 1
        if one.decision is None:
            counted["rejected"] += 1
            numbers(self._flows["rejects"], one.reason, one.row.sheet)[0] += 1
            return
        decision = one.decision
        counted["human" if decision.needs_human else "decided"] += 1
        if self._timed and not decision.received_at and self._labels.cell(one.row, "time"):
            counted["unread"] += 1
        self._label(one, decision)
        self._rest(one, decision)

    def _label(self, one: Answered, decision: Decision) -> None:
        old = self._labels.old(one.row)
        changed = not same(old, decision.category)
        human, counted = decision.needs_human, self._numbers
        counted["changed"] += changed
        counted["changed_human"] += changed and human
        counted["unlabelled"] += not old
        confidence = round(decision.category.confidence * SURE)
        held = numbers(self._flows["labels"], old, decision.category.code, BEFORE + BINS)
        held[0] += 1
        held[1] += human
        held[2] += confidence
        held[BEFORE + min(confidence * BINS // SURE, BINS - 1)] += 1
        sample = self._sample if changed else self._kept
        sample.append((rank(self._key, one.row), one, old))

    def _rest(self, one: Answered, decision: Decision) -> None:
        flows, clock = self._flows, decision.clock.code
        held = numbers(flows["units"], self._labels.word(one.row, "unit"), decision.route.unit, 2)
        held[0] += 1
        held[1] += decision.needs_human
        due = decision.route.due if decision.received_at else ""
        numbers(flows["days"], due[:10], clock)[0] += 1
        if self._due:
            numbers(flows["deadlines"], lie(self._labels.cell(one.row, "deadline"), due), clock)[0] += 1
        for reason in dict.fromkeys(map(kind, decision.reasons)):
            numbers(flows["reasons"], reason, clock)[0] += 1


def _drawn(every: list[Candidate], most: int) -> tuple[Drawn, ...]:
    first = sorted(every, key=lambda one: (one[0], one[1].row.number))[:most]  # few of them are put into words
    return tuple(drawn(*one) for one in first)


def kind(reason: str) -> str:
    """A reason without what is one row's own in it: `含 3 件事，主次…` → `含几件事`."""
    return DIGITS.sub("几", OWN.sub("", reason)).strip() or reason


def lie(old: str, new: str) -> str:
    """How a new deadline (ISO 8601) lies to an old one as offices write it, by the day."""
    before = moment(old) if old else None
    if before is None or not new:
        return WITHOUT
    after = datetime.fromisoformat(new)
    days = (after.date() - before.astimezone(after.tzinfo).date()).days
    return LATER if days > 0 else EARLIER if days < 0 else SAME
