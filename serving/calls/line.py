"""The line: takes what is said in calls, keeps it, and answers the decision so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import orjson
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.decision import Decision
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.redline import RED_LINE_REASON
from serving.access.who import Who
from serving.calls import book
from serving.calls.call import Call
from serving.calls.seams import Seams
from serving.calls.settling import Settling, Told, changes
from serving.calls.turns import CallText
from serving.journal.decided import Decided, opened, subject_of
from serving.journal.unit import Unit
from serving.service import How, Service
from serving.store.engine import StoreDown
from serving.times import millis

CHANNEL = "电话"
TRIES = 20  # of one post against others to the same call; each round one of them gets through
LONG = 5000  # code points that are masked in the event loop, in some three milliseconds
NAME = 200  # code points of a call's id
Closing = Callable[[Unit, bytes], None]


class BadCall(InputError):
    """通话的编号须为 1–200 个可见字符"""

    path = "id"


class CallEnded(InputError):
    """这通电话已经结束：{reason}"""

    path = "turns"


class CallBusy(StoreDown):
    """同一通电话同时来的话轮太多，请稍后再试（{reason}）"""


@dataclass(frozen=True)
class Answered:
    """What is to be written and said of a call: as it was kept (nothing: it is new), as it is, its decision."""

    kept: bytes | None
    call: Call
    decision: Decision
    content: bytes
    body: bytes


class Line:
    """All calls of a service; safe for posts at the same time, here and in other processes.

    A call is read, decided and written back only if it is still what was read; else all is done again. So the journal
    never waits for a decision, and no turn is lost.
    """

    def __init__(self, service: Service, settling: Settling | None = None) -> None:
        self._service = service
        self._settling = settling or Settling()
        self._seams = Seams()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def take(self, name: str, said: CallText, who: Who, closing: Closing | None = None) -> bytes:
        """Take turns of a call; the JSON of a `CallReply`, on disk before anybody hears of it.

        closing: what else is to be written in the same transaction. Raises `InputError`, `StoreDown`.
        """
        if not 0 < len(name) <= NAME or not name.isprintable():
            raise BadCall
        fresh = Call(ulid_now(), self._received(said))
        async with self._locks.setdefault((name, who.key), asyncio.Lock()):
            for _ in range(TRIES):
                kept = await run_in_threadpool(self._service.journal.read, lambda c: book.content(c, name, who.key))
                call = Call.opened(kept) if kept else fresh
                if call.ended:
                    return await self._again(name, call, said)
                answered = await self._answered(name, kept, call, said)
                if await self._write(name, answered, who, closing):
                    if answered.call.ended:
                        self._service.metrics.decided([answered.decision])
                    return answered.body
        raise CallBusy(reason=f"试了 {TRIES} 次")

    def _received(self, said: CallText) -> int:
        zone = self._service.settings.zone
        times = [turn.at if turn.at.tzinfo else turn.at.replace(tzinfo=zone) for turn in said.turns if turn.at]
        return millis(min(times) if times else self._service.settings.now())

    async def _answered(self, name: str, kept: bytes | None, call: Call, said: CallText) -> Answered:
        """The call after these turns, decided."""
        if len(call.transcript()) + sum(len(turn.text) for turn in said.turns) > LONG:
            call = await run_in_threadpool(call.heard, said.turns, self._seams)
        else:
            call = call.heard(said.turns, self._seams)
        call = self._about(call, said)
        missing = [turn.number for turn in call.spoken[-self._settling.same :]]
        missing = [number for number in missing if number not in {one.turn for one in call.told}]
        texts = [call.transcript(number) for number in missing[:-1]] + [call.transcript()]
        petitions = [self._petition(name, call, text) for text in texts]
        *before, decision = await self._service.decided(petitions, How(call.profile))
        told = [*call.told, *map(_told, missing, [*before, decision])]
        call = replace(call, told=tuple(sorted(told, key=lambda one: one.turn)))
        decision.decision_id = call.decision_id
        content = orjson.dumps(decision)
        body = self._body(name, replace(call, ended=said.end), content, texts[-1])
        return Answered(kept, call.closed() if said.end else call, decision, content, body)

    def _about(self, call: Call, said: CallText) -> Call:
        """The call with what was said of it as a whole."""
        location = call.location if said.location is None else self._seams.masked([said.location])[0]
        subject = subject_of(said.phone or "", self._service.secret) or call.subject
        return replace(call, location=location, subject=subject, profile=said.profile or call.profile)

    def _petition(self, name: str, call: Call, text: str) -> Petition:
        received = self._service.moment(call.received_at)
        return Petition(name, text, channel=CHANNEL, location=call.location, received_at=received)

    def _body(self, name: str, call: Call, content: bytes, transcript: str) -> bytes:
        since = self._settling.since(call.told)
        return orjson.dumps({
            "call": name,
            "decision": orjson.Fragment(content),
            "settled": self._settling.firm(call.told),
            "settled_at_turn": since,
            "red_line": bool(call.told) and call.told[-1].red_line,
            "changes": changes(call.told),
            "transcript": transcript,
            "turns": len(call.turns),
            "ended": call.ended,
        })  # fmt: skip

    async def _write(self, name: str, answered: Answered, who: Who, closing: Closing | None) -> bool:
        """Write the call, and at its end the decision; false where somebody else wrote it meanwhile."""
        packed, now = answered.call.packed, millis(self._service.settings.now())
        written = self._decided(name, answered, who) if answered.call.ended else None
        if packed == answered.kept and closing is None:
            return True

        def write(unit: Unit) -> bool:
            if not book.put(unit, (name, who.key), answered.kept, packed, now):
                return False
            if written:
                self._service.keep(unit, [answered.decision], written)
            if closing:
                closing(unit, answered.body)
            return True

        return await self._service.journal.write(write)

    def _decided(self, name: str, answered: Answered, who: Who) -> Decided:
        """The rows of the last decision, which belong to the caller whose number came with any of the turns."""
        petition = self._petition(name, answered.call, "")
        written = Decided.of([answered.decision], [petition], who, self._service.secret)
        subject = answered.call.subject
        rows = [{**row, "subject": subject} for row in written.rows]
        return Decided(written.contents, rows, [replace(record, subject=subject) for record in written.records])

    async def _again(self, name: str, call: Call, said: CallText) -> bytes:
        """The answer to a call that has ended, as it was; raises `CallEnded` for turns that came too late."""
        if call.lacks(said.turns):
            raise CallEnded(reason="这些话轮来晚了，没有收下")
        content = await run_in_threadpool(self._service.journal.read, lambda c: book.decision(c, call.decision_id))
        if content is None:
            raise CallEnded(reason="它的决定已经不在了")
        decision = opened(content)
        return self._body(name, call, orjson.dumps(decision), decision["masked_text"])


def _told(turn: int, decision: Decision) -> Told:
    red = any(reason.startswith(RED_LINE_REASON) for reason in decision.reasons)
    return Told(turn, decision.category.code, decision.category.confidence, red)
