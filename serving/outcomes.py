"""Outcomes: what became of a petition, as the hotline's own system tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.access.scope import Scope
from serving.access.who import Who
from serving.audit.record import Record, digest_of
from serving.door.body import body_of
from serving.door.described import described
from serving.feedback import ULID, decision_of
from serving.journal.decided import storable
from serving.journal.unit import Unit
from serving.repeats import Repeat, once
from serving.schema import Time
from serving.service import Service
from serving.store import tables
from serving.times import millis

AHEAD = timedelta(minutes=5)  # by which the other system's clock may be fast


class Outcome(BaseModel):
    """A step of a ticket's way, when it was taken, by whom; what the caller said of it."""

    model_config = ConfigDict(extra="forbid")

    decision_id: Annotated[str, Field(pattern=ULID)]
    event: Literal["dispatched", "received", "responded", "resolved", "closed", "reopened"]
    unit: Annotated[str, Field(max_length=200)]
    at: Time
    satisfied: bool | None = None
    caller_resolved: bool | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Outcome:
        asked = self.satisfied is not None or self.caller_resolved is not None
        if asked and self.event not in {"resolved", "closed"}:
            raise ValueError("诉求人的评价（satisfied、caller_resolved）只随 resolved 或 closed 报来")
        return self


@dataclass(frozen=True)
class Recorded:
    """An outcome that is on disk. repeated: it was there already."""

    outcome_id: str
    decision_id: str
    recorded_at: str
    repeated: bool


async def record(service: Service, who: Who, outcome: Outcome) -> Recorded:
    """Take an outcome; raises `UnknownDecision`, `InputError` for a time to come, `StoreDown`."""
    now, new = service.settings.now(), ulid_now()
    at = outcome.at if outcome.at.tzinfo else outcome.at.replace(tzinfo=service.settings.zone)
    if at > now + AHEAD:
        raise InputError(place="at", reason="是将来的时间")
    row = _row(new, outcome, who, at, now)
    found = await service.journal.write(lambda unit: _write(unit, row))
    told = service.moment(found.recorded_at).isoformat(timespec="seconds")
    return Recorded(found.id, outcome.decision_id, told, found.id != new)


def _row(new: str, outcome: Outcome, who: Who, at: datetime, now: datetime) -> dict[str, Any]:
    said = {
        "decision": outcome.decision_id, "event": outcome.event, "unit": storable(outcome.unit), "at": millis(at),
        "satisfied": outcome.satisfied, "caller_resolved": outcome.caller_resolved,
    }  # fmt: skip
    return {"id": new, "recorded_at": millis(now), **said, "key": who.key, "digest": digest_of(orjson.dumps(said))}


def _write(unit: Unit, row: dict[str, Any]) -> Any:
    decision = decision_of(unit, row["decision"])
    if unit.put(tables.outcomes, row):
        unit.note(Record(
            id=row["id"], at=row["recorded_at"], actor=row["key"], action="outcome", object=row["decision"],
            model=decision.model, rule=row["event"], subject=decision.subject, detail={"digest": row["digest"]},
        ))  # fmt: skip
    columns = tables.outcomes.c
    same = columns.decision == row["decision"], columns.digest == row["digest"]
    return unit.connection.execute(select(columns.id, columns.recorded_at).where(*same)).one()


def routes(service: Service) -> APIRouter:
    """`POST /v1/outcomes`."""
    router = APIRouter()

    async def outcomes(request: Request) -> Response:
        """办理经过：派出、签收、响应、办结、结案、重开，以及诉求人的评价。"""
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)

        async def answer(_: Repeat | None) -> bytes:  # what is told twice is kept once, with a key or without
            return orjson.dumps(asdict(await record(service, who, Outcome.model_validate_json(body))))

        return await once(service, request, who, body, answer)

    router.add_api_route("/v1/outcomes", outcomes, methods=["POST"], **described(Outcome, Recorded))
    return router
