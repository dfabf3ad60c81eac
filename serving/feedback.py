"""Feedback: what operators say of decisions; it is on disk before they hear that it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Row, select
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.decision import Route
from nlp.errors import InputError
from nlp.reader import Reader
from nlp.route.returns import Returned
from nlp.taxonomy import TASKS, Taxonomy
from serving.access.scope import Scope
from serving.access.who import Who
from serving.audit.record import Record, digest_of
from serving.door.body import body_of
from serving.door.described import described
from serving.errors import Missing
from serving.events.outbox import CORRECTED
from serving.journal.decided import opened, storable
from serving.journal.unit import Unit
from serving.repeats import Repeat, once
from serving.rules.cases import CaseReader
from serving.rules.returning import proposed
from serving.service import Service
from serving.store import tables
from serving.times import millis

Code = Annotated[str, Field(max_length=64)]
ULID = r"^[0-9A-HJKMNP-TV-Z]{26}$"


class UnknownDecision(Missing):
    """没有这个决定：{decision}"""


Verdict = Literal["accepted", "corrected", "returned"]


class Right(BaseModel):
    """The codes that would be right, of those tasks that somebody speaks of."""

    model_config = ConfigDict(extra="forbid")

    category: Code | None = None
    tier: Code | None = None
    clock: Code | None = None
    type: Code | None = None

    @property
    def codes(self) -> dict[str, str]:
        """Task → the code that would be right."""
        return {task: code for task in TASKS if (code := getattr(self, task))}

    def check(self, taxonomy: Taxonomy) -> None:
        """Raise `InputError` for a code that the taxonomy does not hold."""
        for task, code in self.codes.items():
            if code not in taxonomy.codes(task):
                raise InputError(place=task, reason=f"分类体系里没有 {code}")


class Given(Right):
    """What an operator says: it was right, this would be right, or the unit gave the ticket back."""

    decision_id: Annotated[str, Field(pattern=ULID)]
    verdict: Verdict
    reason: Annotated[str, Field(max_length=2000, description="退单或更正的理由；个人信息会被遮去")] = ""
    unit: Annotated[str, Field(max_length=200, description="退单的单位；不写就是原来派给的")] = ""
    operator: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _agrees(self) -> Given:
        if self.verdict == "corrected" and not self.codes:
            raise ValueError("更正（corrected）须写明 category、tier、clock、type 中的至少一项")
        if self.verdict == "accepted" and self.codes:
            raise ValueError("认可（accepted）不带新的标签；要改就用 corrected")
        if self.verdict == "returned" and not self.reason.strip():
            raise ValueError("退单（returned）须写明理由 reason")
        return self


@dataclass(frozen=True)
class Kept:
    """Feedback that is on disk. repeated: it was there already. route, why: who is proposed after a return."""

    feedback_id: str
    decision_id: str
    recorded_at: str
    repeated: bool
    route: Route | None = None
    why: str = ""

    @property
    def body(self) -> bytes:
        """The reply; what a return did not ask for is left out."""
        return orjson.dumps({name: value for name, value in asdict(self).items() if value or value is False})


async def give(service: Service, who: Who, given: Given) -> Kept:
    """Take feedback; raises `UnknownDecision`, `InputError` for unknown codes, `StoreDown`."""
    given.check(service.office.decider.model.taxonomy)
    now, new = service.settings.now(), ulid_now()
    row = row_of(new, given, who, millis(now), service.office.decider.reader)

    def write(unit: Unit) -> _Written:
        return _write(service, unit, row)

    written = await service.journal.write(write)
    at = written.at if written.repeated else row["at"]
    told = service.moment(at).isoformat(timespec="seconds")
    kept = Kept(written.id, given.decision_id, told, written.repeated)
    if given.verdict != "returned":
        return kept
    return await run_in_threadpool(routed, service, kept, written.decision, written.returns)


@dataclass(frozen=True)
class _Written:
    id: str
    at: int
    repeated: bool
    decision: dict[str, Any]
    returns: Sequence[Returned]


def row_of(new: str, given: Given, who: Who, at: int, reader: Reader) -> dict[str, Any]:
    """The row of feedback that was given; what was typed is masked, the name of a unit too: a field asks for it."""
    read = reader.fields([given.unit, given.reason])
    said = {
        "decision": given.decision_id, "verdict": given.verdict, **{task: given.codes.get(task) for task in TASKS},
        "reason": storable(read.masked(1)), "operator": storable(given.operator), "unit": storable(read.masked(0)),
    }  # fmt: skip
    return {
        "id": new,
        "at": at,
        **said,
        "key": who.key,
        "digest": digest_of(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)),
    }


def _write(service: Service, unit: Unit, row: dict[str, Any]) -> _Written:
    decision = decision_of(unit, row["decision"])
    row = row | {"unit": row["unit"] or decision.unit}
    fresh = unit.put(tables.feedback, row)
    same = tables.feedback.c.decision == row["decision"], tables.feedback.c.digest == row["digest"]
    found = unit.connection.execute(select(tables.feedback.c.id, tables.feedback.c.at).where(*same)).one()
    content = opened(decision.content)
    if fresh:
        tell(service, unit, row, decision.model, decision.subject)
    return _Written(found.id, found.at, found.id != row["id"], content, _returns(unit, row["decision"]))


def decision_of(unit: Unit, wanted: str) -> Row[Any]:
    """The row of a decision; raises `UnknownDecision`."""
    found = unit.connection.execute(select(tables.decisions).where(tables.decisions.c.id == wanted)).one_or_none()
    if found is None:
        raise UnknownDecision(decision=wanted)
    return found


def _returns(unit: Unit, decision: str) -> list[Returned]:
    """The returns of a decision, oldest first."""
    columns = tables.feedback.c
    query = select(columns.unit, columns.reason).where(columns.decision == decision, columns.verdict == "returned")
    return [Returned(row.unit, row.reason) for row in unit.connection.execute(query.order_by(columns.at, columns.id))]


def tell(service: Service, unit: Unit, row: dict[str, Any], model: str, subject: str | None) -> None:
    """The audit record, and the event for whoever wants it; model, subject: of the decision."""
    unit.note(Record(
        id=row["id"], at=row["at"], actor=row["key"], action="feedback", object=row["decision"], model=model,
        rule=row["verdict"], subject=subject, detail={"operator": row["operator"], "digest": row["digest"]},
    ))  # fmt: skip
    if row["verdict"] != "accepted":
        told = {name: row[name] for name in ("id", "decision", "verdict", *TASKS, "unit")}
        service.outbox.put(unit, CORRECTED, row["decision"], orjson.dumps(told))


def routed(service: Service, kept: Kept, decision: dict[str, Any], returns: Sequence[Returned]) -> Kept:
    """The same with the next route after these returns of a decision, found by the rules in force."""
    decider = service.office.decider
    reader = CaseReader(
        kept.decision_id, service.settings, decider.model.taxonomy, lambda: decider, decider.reader, decider.redlines
    )
    cases = next(reader.read([orjson.dumps(decision)]))
    profile = decision["route"]["profile"]
    _, proposal = proposed(decider.dispatcher, profile, cases, 0, returns, service.settings.now())
    why = "；".join(filter(None, (proposal.why, proposal.reported)))
    return Kept(kept.feedback_id, kept.decision_id, kept.recorded_at, kept.repeated, proposal.route, why)


def routes(service: Service) -> APIRouter:
    """`POST /v1/feedback`."""
    router = APIRouter()

    async def feedback(request: Request) -> Response:
        """认可、更正或退单；退单时答复下一步派给谁。"""
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)

        async def answer(_: Repeat | None) -> bytes:  # what is said twice is kept once, with a key or without
            given = Given.model_validate_json(body)
            if getattr(request.state, "csrf", ""):  # a session: its own name, whatever a page sends
                given = given.model_copy(update={"operator": who.name or who.key})
            return (await give(service, who, given)).body

        return await once(service, request, who, body, answer)

    router.add_api_route("/v1/feedback", feedback, methods=["POST"], **described(Given, Kept))
    return router
