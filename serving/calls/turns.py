"""Turns as a recogniser gives them, checked at the door, and what is answered to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nlp.decision import Decision
from serving.schema import DATE, YEARS

CALLERS = frozenset({"市民", "caller", "citizen"})
Speaker = Literal["市民", "坐席", "caller", "operator", "citizen", "agent"]


def _written(time: object) -> object:
    if time is not None and not (isinstance(time, str) and DATE.match(time)):
        raise ValueError("须为 ISO 8601 时间，如 2026-11-23T09:12:03+08:00")
    return time


def _in_reach(time: datetime | None) -> datetime | None:
    if time is not None and time.year not in YEARS:
        raise ValueError(f"年份须在 {YEARS[0]}–{YEARS[-1]} 之间")
    return time


Time = Annotated[datetime | None, BeforeValidator(_written), AfterValidator(_in_reach)]


class TurnIn(BaseModel):
    """One turn; further fields of the recogniser are allowed and ignored."""

    model_config = ConfigDict(extra="ignore")

    speaker: Annotated[Speaker, Field(description="谁说的；只读市民的话，坐席的话不留存")]
    text: Annotated[str, Field(description="说了什么")]
    number: int | None = Field(
        None, ge=0, le=1_000_000_000, description="话轮的序号；同一序号再来，取代先前的；不给则接在最后"
    )
    final: bool = Field(True, description="false：还会改的中间结果；不会取代已经定稿的同号话轮")
    at: Time = Field(None, description="何时说的，ISO 8601；时限从第一句起算")

    @property
    def by_caller(self) -> bool:
        """Whether the resident said it."""
        return self.speaker in CALLERS


class CallText(BaseModel):
    """What has been said since the last time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"turns": [{"speaker": "市民", "text": "我家楼上往下滴水", "number": 1}]}]},
    )

    turns: list[TurnIn] = Field([], description="话轮，按先后")
    location: str | None = Field(None, max_length=1000, description="来电人所在或诉求地点")
    phone: str | None = Field(None, max_length=100, description="来电号码；只留它的加密散列")
    profile: str | None = Field(None, max_length=64, description="治理体系；不给则用服务的设置")
    end: bool = Field(False, description="通话结束：写下决定")


class CallReply(BaseModel):
    """The decision so far; after the end, the decision."""

    call: str
    decision: Decision
    settled: bool = Field(description="现在的类别可以当作定了；红线立刻算定")
    settled_at_turn: int | None = Field(description="从第几号话轮起一直是定的")
    red_line: bool = Field(description="说到了红线：先按紧急处理，类别仍可能变")
    changes: int = Field(description="类别换过几次")
    transcript: str = Field(description="市民的话，已脱敏；决定里的起止位置都数它")
    turns: int = Field(description="收到了几个话轮，坐席的也算")
    ended: bool = Field(description="已经结束，决定已写下")
