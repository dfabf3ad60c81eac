"""Deciding: rows of a backlog as their plan says, the same on every machine and in every process."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from typing import Any

from ulid_transform import ulid_at_time

from corpora.moments import moment
from corpora.rows.cell import text
from corpora.rows.row import Row
from nlp.decider import Decider, Options
from nlp.former import Former
from nlp.petition import Petition
from serving.backlog.answers import Answered
from serving.backlog.label import Labels
from serving.backlog.plan import Plan

CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class Deciding:
    """A plan with the decider and the former labels that it names; one of them in each process."""

    def __init__(self, plan: Plan, decider: Decider, former: Former | None = None) -> None:
        self.plan = plan
        self._former = former
        self._labels = Labels(plan)
        self._decider = decider
        self._options = Options(plan.time, plan.profile, evidence=False, high=plan.high)
        self._places = {role: plan.places(role) for role in plan.roles}

    def answered(self, rows: Sequence[Row]) -> list[Answered]:
        """Every row in its order, decided or with the reason why not."""
        readable = [row for row in rows if not row.reason]
        told = self._former.told([self._labels.old(row) for row in readable]) if self._former else None
        decisions = self._decider.decide([self.petition(row) for row in readable], self._options, told)
        for row, decision in zip(readable, decisions, strict=True):
            decision.decision_id = decision_id(self.plan, row)
        found = iter(decisions)
        return [Answered(row, None, row.reason) if row.reason else Answered(row, next(found)) for row in rows]

    def petition(self, row: Row) -> Petition:
        """A row as a petition."""
        time = self._cell(row, "time")
        return Petition(
            id=self._cell(row, "id") or str(row.number),
            text=self._cell(row, "text"),
            title=self._cell(row, "title"),
            channel=self._cell(row, "channel"),
            location=self._cell(row, "location"),
            received_at=moment(time) if time else None,
            phone=self._cell(row, "phone"),
        )

    def _cell(self, row: Row, role: str) -> str:
        places = self._places.get(role, ())
        return "/".join(filter(None, (text(_at(row.cells, place)).strip() for place in places)))


def _at(cells: Sequence[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else ""


def decision_id(plan: Plan, row: Row) -> str:
    """A ULID at the plan's moment whose random part derives from what the run reads and the row."""
    digest = hashlib.sha256(f"{plan.digest}\n{row.sheet}\n{row.number}\n{plan.model}".encode()).digest()
    return ulid_at_time(plan.time.timestamp())[:10] + b32encode(digest[:10]).translate(CROCKFORD).decode()
