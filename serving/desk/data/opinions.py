"""Opinions: what operators said of decisions, by operator, and where two of them said different things of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from nlp.taxonomy import TASKS
from serving.journal.decided import opened
from serving.store.tables import decisions, feedback

CORRECTED, ACCEPTED, RETURNED = "corrected", "accepted", "returned"
MOST = 200  # disagreements
LATEST = 50  # corrections that are listed


@dataclass(frozen=True)
class Operator:
    """How often somebody accepted, corrected and sent back."""

    name: str
    accepted: int
    corrected: int
    returned: int

    @property
    def total(self) -> int:
        """Of all verdicts."""
        return self.accepted + self.corrected + self.returned

    @property
    def corrected_rate(self) -> float:
        """The share of corrections."""
        return self.corrected / self.total


@dataclass(frozen=True)
class Disagreement:
    """People who gave one decision different codes. said: (operator, code) of each; title: masked."""

    decision: str
    petition: str
    task: str
    title: str
    said: Sequence[tuple[str, str]]


def operators(connection: Connection, since: int) -> list[Operator]:
    """All who said something since a time, those who said most first."""
    said = feedback.c
    query = (
        select(said.operator, said.verdict, func.count()).where(said.at >= since).group_by(said.operator, said.verdict)
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, verdict, count in connection.execute(query):
        counts[name][verdict] = int(count)
    found = [
        Operator(name, *(by.get(verdict, 0) for verdict in (ACCEPTED, CORRECTED, RETURNED)))
        for name, by in counts.items()
    ]
    return sorted(found, key=lambda one: (-one.total, one.name))


def corrections(connection: Connection, since: int, operator: str | None = None) -> list[Mapping[str, Any]]:
    """The latest corrections, with what the model had said, masked."""
    said = feedback.c
    query = (
        select(feedback, decisions.c.content, decisions.c.petition)
        .join(decisions, decisions.c.id == said.decision)
        .where(said.at >= since, said.verdict == CORRECTED)
        .order_by(said.id.desc())
        .limit(LATEST)
    )
    query = query if operator is None else query.where(said.operator == operator)
    return [_correction(row) for row in connection.execute(query)]


def _correction(row: Row[Any]) -> Mapping[str, Any]:
    decision = opened(row.content)
    changed = [
        (task, str(decision[task]["code"]), str(getattr(row, task)))
        for task in TASKS
        if getattr(row, task) and decision[task]["code"] != getattr(row, task)
    ]
    return {
        "decision": row.decision, "petition": row.petition, "at": row.at, "operator": row.operator,
        "reason": row.reason, "title": _title(decision), "changed": changed,
    }  # fmt: skip


def _title(decision: Mapping[str, Any]) -> str:
    """By which people know a petition: its title, or how it begins."""
    title, text = str(decision["masked_title"]), str(decision["masked_text"])
    return title or (text if len(text) <= 60 else f"{text[:60]}…")


def disagreements(connection: Connection, since: int) -> list[Disagreement]:
    """Decisions of which two people gave one task different codes; of one operator the last word counts.

    A correction overrules what others accepted before it, so that only corrections disagree; who gives no name is
    taken for somebody else each time (as in `training.label.claims`).
    """
    said = feedback.c
    several = (
        select(said.decision)
        .where(said.at >= since, said.verdict == CORRECTED)
        .group_by(said.decision)
        .having(func.count() > 1)
        .order_by(said.decision.desc())
        .limit(MOST)
    )
    query = (
        select(feedback, decisions.c.content, decisions.c.petition)
        .join(decisions, decisions.c.id == said.decision)
        .where(said.decision.in_(several), said.verdict == CORRECTED)
        .order_by(said.decision.desc(), said.at, said.id)
    )
    by: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        by[row.decision].append(row)
    return [found for rows in by.values() for found in _disputed(rows)]


def _disputed(rows: Sequence[Row[Any]]) -> Iterable[Disagreement]:
    """The tasks of a decision on which people do not agree."""
    for task in TASKS:
        last: dict[str | int, tuple[str, str]] = {}
        for number, row in enumerate(rows):
            if getattr(row, task):
                last[row.operator or number] = (row.operator, str(getattr(row, task)))
        if len({code for _, code in last.values()}) > 1:
            first = rows[0]
            yield Disagreement(first.decision, first.petition, task, _title(opened(first.content)), list(last.values()))
