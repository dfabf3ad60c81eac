"""What comes in at the door, checked by pydantic, and what goes out, as OpenAPI shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nlp.decision import Decision
from nlp.petition import Petition

MOST_PETITIONS = 1000
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")  # a bare number would be taken for seconds since 1970
YEARS = range(1900, 2200)  # outside, the end of a clock may not be a date


class Accuracy(StrEnum):
    """Fast: the linear model. High: the cascade with the encoder."""

    fast = "fast"
    high = "high"


def _written(time: object) -> object:
    if time is not None and not (isinstance(time, str) and DATE.match(time)):
        raise ValueError("须为 ISO 8601 时间，如 2026-11-23T09:12:03+08:00")
    return time


def _in_reach(time: datetime) -> datetime:
    if time.year not in YEARS:
        raise ValueError(f"年份须在 {YEARS[0]}–{YEARS[-1]} 之间")
    return time


Time = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_reach)]
"""A time in ISO 8601, with a zone or without."""


class PetitionIn(BaseModel):
    """One petition; further fields are allowed and ignored."""

    model_config = ConfigDict(
        extra="ignore", json_schema_extra={"examples": [{"id": "A-17", "text": "楼上卫生间又往下滴水"}]}
    )

    id: Annotated[str, Field(max_length=200, description="来源系统的编号，原样带回")]
    text: Annotated[str, Field(description="诉求全文；可以为空，那样会请人工处理")]
    title: str | None = None
    channel: str | None = None
    location: str | None = None
    received_at: Time | None = Field(None, description="受理时间，ISO 8601；时限从这里起算")
    phone: str | None = None

    def petition(self, zone: tzinfo) -> Petition:
        """The petition, its time with a zone."""
        received = self.received_at
        if received is not None and received.tzinfo is None:
            received = received.replace(tzinfo=zone)
        return Petition(
            self.id, self.text, self.title or "", self.channel or "", self.location or "", received, self.phone or ""
        )


class DecisionRequest(BaseModel):
    """Petitions to decide, and how."""

    model_config = ConfigDict(extra="forbid")

    petitions: Annotated[list[PetitionIn], Field(max_length=MOST_PETITIONS)]
    profile: str | None = Field(None, description="治理体系；不给则用服务的设置")
    accuracy: Accuracy = Accuracy.fast
    evidence: bool = True


class DecisionReply(BaseModel):
    """One decision for each petition, in order."""

    decisions: list[Decision]


class Fault(BaseModel):
    """One place of a request that is wrong."""

    path: str
    message: str


def path_of(places: Sequence[int | str]) -> str:
    """A location in JSON as a path."""
    path = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return path.removeprefix(".") or "$"


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] = []
