"""Deciding: rows of a backlog as their plan says, the same on every machine and in every process."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Sequence
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

READ = ("id", "text", "title", "channel", "location", "time", "phone")  # the roles that make a petition
CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class Deciding:
    """A plan with the decider and the former labels that it names; one of them in each process."""

    def __init__(self, plan: Plan, decider: Decider, former: Former | None = None) -> None:
        self.plan = plan
        self._former = former
        self._labels = Labels(plan)
        self._decider = decider
        self._options = Options(plan.time, plan.profile, evidence=False, high=plan.high)
        self._places = {role: plan.places(role) if role in plan.roles else () for role in READ}
        self._number = numbering(plan)

    def answered(self, rows: Sequence[Row]) -> list[Answered]:
        """Every row in its order, decided or with the reason why not."""
        readable = [row for row in rows if not row.reason]
        told = self._former.told([self._labels.old(row) for row in readable]) if self._former else None
        decisions = self._decider.decide([self.petition(row) for row in readable], self._options, told)
        for row, decision in zip(readable, decisions, strict=True):
            decision.decision_id = self._number(row)
        found = iter(decisions)
        return [Answered(row, None, row.reason) if row.reason else Answered(row, next(found)) for row in rows]

    def petition(self, row: Row) -> Petition:
        """A row as a petition."""
        cells = row.cells
        number, words, title, channel, location, time, phone = (_cell(cells, at) for at in self._places.values())
        received = moment(time) if time else None
        return Petition(number or str(row.number), words, title, channel, location, received, phone)


def _cell(cells: Sequence[Any], places: Sequence[int]) -> str:
    if not places:
        return ""
    if len(places) == 1:
        return text(_at(cells, places[0])).strip()
    return "/".join(filter(None, (text(_at(cells, place)).strip() for place in places)))


def _at(cells: Sequence[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else ""


def numbering(plan: Plan) -> Callable[[Row], str]:
    """Decision numbers: ULIDs at the plan's moment whose random part derives from what the run reads and the row."""
    time, before, after = ulid_at_time(plan.time.timestamp())[:10], f"{plan.digest}\n", f"\n{plan.model}"

    def number(row: Row) -> str:
        digest = hashlib.sha256(f"{before}{row.sheet}\n{row.number}{after}".encode()).digest()
        return time + b32encode(digest[:10]).translate(CROCKFORD).decode()

    return number
