"""A sample for review: rows chosen by chance, the same whatever the order in which parts of a run are added."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from corpora.rows.row import Row
from serving.backlog.answers import Answered

CHANGED, KEPT = 400, 100
LONGEST = 300  # characters of masked text


@dataclass(frozen=True, order=True, slots=True)
class Drawn:
    """A decided row as a reviewer sees it; its text is masked.

    rank: a keyed hash of the row; the least ones are drawn. old: the former label, empty if there is none.
    """

    rank: str
    number: int
    sheet: str
    id: str
    old: str
    code: str
    name: str
    confidence: float
    needs_human: bool
    unit: str
    due: str
    text: str
    reasons: str


def rank(key: bytes, row: Row) -> str:
    """A number by chance that the plan and the place of the row settle; key: up to 64 bytes."""
    return hashlib.blake2b(f"{row.sheet}\n{row.number}".encode(), key=key, digest_size=16).hexdigest()


def drawn(rank: str, one: Answered, old: str) -> Drawn:
    """A decided row; raises `ValueError` for a rejected one."""
    decision = one.decision
    if decision is None:
        raise ValueError(f"row {one.row.number} was rejected")
    return Drawn(
        rank=rank,
        number=one.row.number,
        sheet=one.row.sheet,
        id=shown(decision.id),
        old=old,
        code=decision.category.code,
        name="/".join(decision.category.path),
        confidence=decision.category.confidence,
        needs_human=decision.needs_human,
        unit=decision.route.unit,
        due=decision.route.due if decision.received_at else "",
        text=shown(f"{decision.masked_title} {decision.masked_text}"),
        reasons=shown("；".join(decision.reasons)),
    )


def least(every: Iterable[Drawn], most: int) -> tuple[Drawn, ...]:
    """Those with the least ranks, in their order."""
    return tuple(sorted(every)[:most])


def shown(text: str) -> str:
    """At most `LONGEST` characters on one line; signs that cannot be seen become spaces."""
    text = text[: 4 * LONGEST]
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    seen = " ".join(text.split())
    return seen if len(seen) <= LONGEST else seen[: LONGEST - 1] + "…"
