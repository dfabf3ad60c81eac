"""Settle: the decision on what an operator has written, and what they say of it, written together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.decision import Decision
from nlp.errors import InputError
from nlp.route.returns import Returned
from nlp.taxonomy import TASKS
from serving.access.who import Who
from serving.desk.operator.asked import Settling
from serving.desk.operator.standing import refuse_taken
from serving.feedback import Given, Kept, routed, row_of, tell
from serving.journal.decided import Decided, opened
from serving.journal.unit import Unit
from serving.repeats import Repeat
from serving.service import Service
from serving.store import tables
from serving.times import millis

PERSONAL = frozenset(
    {"[手机号]", "[身份证号]", "[姓名]", "[邮箱]", "[电话]", "[银行卡号]", "[车牌号]", "[账号]", "[房号]"}
)
DATED = "20"  # a ticket's number that begins with its year; one in ten passes for a card, which begin with 3 to 6


class NoNumber(InputError):
    """没有写工单号"""

    path = "petition.id"


class PersonalNumber(InputError):
    """工单号里有{what}；工单号是原样存的，请换一个"""

    path = "petition.id"


@dataclass(frozen=True)
class Settled:
    """What was written: the decision, and the feedback with its verdict as it came to be."""

    decision: Decision
    verdict: str
    codes: dict[str, str]
    feedback: Kept


async def settle(service: Service, who: Who, asked: Settling, repeat: Repeat | None) -> bytes:
    """Settle a ticket; raises `Taken`, `InputError` for what cannot be said, `StoreDown`."""
    check_number(service, asked.petition.id)
    asked.right.check(service.office.decider.model.taxonomy)
    petition = asked.petition.petition(service.settings.zone)
    decisions = await service.decided([petition])
    written = Decided.of(decisions, [petition], who, service.secret)
    given = said(asked, decisions[0], who)
    row = row_of(ulid_now(), given, who, millis(service.settings.now()), service.office.decider.reader)
    row["unit"] = row["unit"] or written.rows[0]["unit"]
    answer = await run_in_threadpool(_answer, service, decisions[0], given, row, written)

    def write(unit: Unit) -> None:
        if repeat:
            repeat.finish(unit, answer)
        service.journal.chain.lock(unit.connection)  # nobody else settles meanwhile, wherever they sit
        if not asked.anyway:
            refuse_taken(unit.connection, petition.id, who, service.moment)
        unit.put(tables.decisions, written.rows[0])  # at once: whoever settles next in this group must see it
        unit.put(tables.feedback, row)
        service.tell(unit, decisions, written)
        tell(service, unit, row, decisions[0].model, written.rows[0]["subject"])

    await service.journal.write(write)
    service.metrics.decided(decisions)
    return answer


def check_number(service: Service, number: str) -> None:
    """Raise `NoNumber` or `PersonalNumber`: a ticket's number is kept as it is."""
    if not number.strip():
        raise NoNumber
    found = service.office.decider.reader.fields(["", number]).personal.get(1, ())
    cards = (edit for edit in found if edit.text != "[银行卡号]" or not number.startswith(DATED, edit.start))
    what = next((edit.text for edit in cards if edit.text in PERSONAL), "")
    if what:
        raise PersonalNumber(what=what.strip("[]"))


def said(asked: Settling, decision: Decision, who: Who) -> Given:
    """What the operator says of the decision: what they saw counts, should it have come out otherwise meanwhile."""
    shown = {**asked.seen.codes, **asked.right.codes}
    codes = {task: code for task, code in shown.items() if code != getattr(decision, task).code}
    verdict = asked.verdict
    if verdict == "accepted" and codes:
        verdict = "corrected"
    elif verdict == "corrected" and asked.right.codes and not codes:
        verdict = "accepted"
    return Given(
        decision_id=decision.decision_id, verdict=verdict, reason=asked.reason, unit=asked.unit,
        operator=who.name or who.key, **codes,
    )  # fmt: skip


def _answer(service: Service, decision: Decision, given: Given, row: dict[str, Any], written: Decided) -> bytes:
    """The reply, made before anything is written, so that it can be kept in the same transaction."""
    kept = Kept(row["id"], decision.decision_id, service.moment(row["at"]).isoformat(timespec="seconds"), False)
    if given.verdict == "returned":
        returns = [Returned(row["unit"], row["reason"])]
        kept = routed(service, kept, opened(written.rows[0]["content"]), returns)
    codes = {task: given.codes[task] for task in TASKS if task in given.codes}
    return orjson.dumps(Settled(decision, given.verdict, codes, kept))
