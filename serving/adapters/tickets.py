"""Tickets: what became of decisions, found in the store as Open311 asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from nlp.dispatch import LOCATION
from serving.access.scope import Scope
from serving.access.who import Who
from serving.adapters.form import time_of
from serving.journal.decided import opened, storable
from serving.store.tables import decisions, feedback, outcomes
from serving.times import millis, moment

SPAN = timedelta(days=90)  # GeoReport v2: GET requests, start_date
MOST = 1000  # GeoReport v2: requests in one answer
ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
OPEN, CLOSED = "open", "closed"
STATES = {
    "dispatched": "已派出",
    "received": "已签收",
    "responded": "已回复",
    "resolved": "已解决",
    "closed": "已办结",
    "reopened": "已重办",
}


def _of_statuses(written: str) -> str:
    if not set(_listed(written)) <= {OPEN, CLOSED}:
        raise PydanticCustomError("status", "只有 open 和 closed，可用逗号隔开")
    return written


def _listed(written: str) -> list[str]:
    return [part.strip() for part in storable(written).split(",") if part.strip()]


def _of_time(written: object, info: ValidationInfo) -> datetime:
    return time_of(str(written), info.context or UTC)


Time = Annotated[datetime, BeforeValidator(_of_time)]


class Search(BaseModel):
    """The query of `GET requests`; lists are separated by commas. Validated with the office's zone as context."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    service_request_id: str = ""
    service_code: str = ""
    status: Annotated[str, AfterValidator(_of_statuses)] = ""
    start_date: Time | None = None
    end_date: Time | None = None
    page: int = Field(1, ge=1, le=100_000)
    page_size: int = Field(100, ge=1, le=MOST)

    @model_validator(mode="after")
    def _short(self) -> Search:
        if self.start_date and self.end_date and self.end_date - self.start_date > SPAN:
            raise PydanticCustomError("span", "start_date 到 end_date 最多 90 天")
        return self

    def span(self, now: datetime) -> tuple[int, int]:
        """The first millisecond and the last one; where one end is not named, 90 days from the other."""
        start = self.start_date or (self.end_date or now) - SPAN
        return millis(start), millis(self.end_date or start + SPAN)


@dataclass(frozen=True)
class Tickets:
    """Finds the decisions that somebody may see: those of the own key, or all of them for an administrator.

    names: category code → name, as the taxonomy has it now. zone: of the times in the answer.
    """

    who: Who
    names: dict[str, str]
    zone: tzinfo

    def found(self, connection: Connection, search: Search, span: tuple[int, int]) -> list[dict[str, Any]]:
        """A page of requests, the newest first; a list of numbers goes before all other filters."""
        ids = [number for number in _listed(search.service_request_id) if ULID.fullmatch(number)]
        if search.service_request_id:
            return self._told(connection, decisions.c.id.in_(ids[:MOST]))
        wanted: list[ColumnElement[bool]] = [decisions.c.at.between(*span)]
        if codes := _listed(search.service_code):
            wanted.append(_category().in_(codes))
        if len(statuses := set(_listed(search.status))) == 1:
            wanted.append(_is_closed() if CLOSED in statuses else ~_is_closed())
        return self._told(connection, *wanted, size=search.page_size, skip=(search.page - 1) * search.page_size)

    def _told(self, connection: Connection, *wanted: ColumnElement[bool], size: int = MOST, skip: int = 0
              ) -> list[dict[str, Any]]:  # fmt: skip
        mine = () if self.who.scope is Scope.admin else (decisions.c.key == self.who.key,)
        query = _query().where(*mine, *wanted).order_by(decisions.c.at.desc(), decisions.c.id.desc())
        return [self._ticket(row) for row in connection.execute(query.limit(size).offset(skip))]

    def _ticket(self, row: Row[Any]) -> dict[str, Any]:
        """One request; what is never kept (coordinates, pictures, the client's own number of a place) stays empty."""
        decision, state = opened(row.content), STATES.get(row.event or "", "")
        notes = [*decision["reasons"], *([f"{state}：{row.unit}" if row.unit else state] if state else [])]
        text = "\n".join(filter(None, (decision["masked_title"], decision["masked_text"])))
        return {
            "service_request_id": row.id, "status": CLOSED if row.closed else OPEN, "status_notes": "；".join(notes),
            "service_name": self.names.get(row.category, decision["category"]["name"]), "service_code": row.category,
            "description": text, "agency_responsible": row.unit or decision["route"]["unit"], "service_notice": None,
            "requested_datetime": self._time(row.received_at or row.at),
            "updated_datetime": self._time(max(row.at, row.changed, row.said)),
            "expected_datetime": decision["route"]["due"] or None, "address": _address(decision["places"]) or None,
            "address_id": None, "zipcode": None, "lat": None, "long": None, "media_url": None,
        }  # fmt: skip

    def _time(self, at: int) -> str:
        return moment(at, self.zone).isoformat(timespec="seconds")


def _query() -> Select[Any]:
    """Decisions with what operators and units said of them since."""
    columns = (decisions.c.id, decisions.c.at, decisions.c.received_at, decisions.c.content)
    said = select(func.max(feedback.c.at)).where(feedback.c.decision == decisions.c.id).scalar_subquery()
    return select(
        *columns, _category().label("category"), _is_closed().label("closed"), _latest("event"), _latest("unit"),
        _when().label("changed"), func.coalesce(said, 0).label("said"),
    )  # fmt: skip


def _category() -> ColumnElement[str]:
    """The category as last corrected, or as decided."""
    corrected = and_(feedback.c.decision == decisions.c.id, feedback.c.category.is_not(None))
    latest = select(feedback.c.category).where(corrected).order_by(feedback.c.at.desc(), feedback.c.id.desc()).limit(1)
    return func.coalesce(latest.scalar_subquery(), decisions.c.category)


def _is_closed() -> ColumnElement[bool]:
    """Whether it was closed, and not opened again since."""
    return _when("closed") > _when("reopened")


def _when(event: str = "") -> ColumnElement[int]:
    """When such an event, or any, last happened; 0 for never."""
    wanted = [outcomes.c.decision == decisions.c.id, *([outcomes.c.event == event] if event else [])]
    return func.coalesce(select(func.max(outcomes.c.at)).where(*wanted).scalar_subquery(), 0)


def _latest(name: str) -> Any:
    """A column of the last outcome."""
    newest = select(outcomes.c[name]).where(outcomes.c.decision == decisions.c.id)
    return newest.order_by(outcomes.c.at.desc(), outcomes.c.id.desc()).limit(1).scalar_subquery().label(name)


def _address(places: Sequence[dict[str, Any]]) -> str:
    """The places that the location named, or else the first one of the text."""
    given = [place["text"] for place in places if place["field"] == LOCATION]
    return " ".join(given) or next((place["text"] for place in places), "")
