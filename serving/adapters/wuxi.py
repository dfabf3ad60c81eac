"""无锡: work orders that another system pushes, and what is decided of them."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from nlp.decision import Decision
from nlp.petition import Petition
from serving.access.scope import Scope
from serving.adapters.tongue import Tongue, told
from serving.door.body import body_of
from serving.door.described import inlined
from serving.schema import MOST_PETITIONS, YEARS
from serving.service import Service

CHANNEL = "wuxi"
TIME = "%Y-%m-%d %H:%M:%S"
FIELDS = [field.name for field in fields(Decision)]
TONGUE = Tongue(lambda status, message: {"success": False, "code": status, "message": message, "resultData": None})


def read_time(time: object) -> datetime | None:
    """A time as this interface writes it, without a zone; raises `PydanticCustomError`."""
    if time is None or time == "":
        return None
    try:
        read = datetime.strptime(time, TIME) if isinstance(time, str) else None
    except ValueError:
        read = None
    if read is None:
        raise PydanticCustomError("time", "须为 yyyy-MM-dd HH:mm:ss，如 2026-11-23 09:12:03")
    if read.year not in YEARS:
        raise PydanticCustomError("year", f"年份须在 {YEARS[0]}–{YEARS[-1]} 之间")
    return read


class WorkOrder(BaseModel):
    """One work order; processlimited, state and further fields are let through and not read."""

    model_config = ConfigDict(extra="ignore")

    workordercode: Annotated[str, Field(min_length=1, max_length=200, description="工单编号，原样带回")]
    workordercontent: Annotated[str, Field(description="诉求全文")]
    place: str | None = Field(None, description="地点")
    area: str | None = Field(None, description="区域")
    dispatchtime: Annotated[datetime | None, BeforeValidator(read_time)] = Field(
        None,
        description="派发时间 yyyy-MM-dd HH:mm:ss，时限从这里起算",
        json_schema_extra={"format": "yyyy-MM-dd HH:mm:ss"},
    )

    def petition(self, zone: tzinfo) -> Petition:
        """The petition; its time is the office's."""
        received = self.dispatchtime.replace(tzinfo=zone) if self.dispatchtime else None
        location = " ".join(filter(None, (self.area, self.place)))
        return Petition(self.workordercode, self.workordercontent, "", CHANNEL, location, received)


ONE = inlined(WorkOrder.model_json_schema())
MANY: TypeAdapter[list[WorkOrder]] = TypeAdapter(Annotated[list[WorkOrder], Field(max_length=MOST_PETITIONS)])
PUSHED = {"anyOf": [ONE, {"type": "array", "items": ONE, "maxItems": MOST_PETITIONS}]}


def routes(service: Service) -> APIRouter:
    """`POST /adapters/wuxi/workorders`."""
    router = TONGUE.router()

    async def workorders(request: Request) -> Response:
        """无锡工单推送：一件（对象）或至多 1000 件（数组），答复的次序不变。"""
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)
        several = body.lstrip()[:1] == b"["
        orders = MANY.validate_json(body) if several else [WorkOrder.model_validate_json(body)]
        answered = await service.decide([order.petition(service.settings.zone) for order in orders], who)
        results = [result(decision) for decision in answered.decisions]
        data = results if several else results[0]
        return told({"success": True, "code": 200, "message": "成功", "resultData": data})

    router.add_api_route(
        "/adapters/wuxi/workorders", workorders, methods=["POST"], tags=["adapters"], **TONGUE.reads(PUSHED)
    )
    return router


def result(decision: Decision) -> dict[str, Any]:
    """The decision's fields, with the number of the work order and its limit as this interface writes them."""
    due = decision.route.due
    return {
        "workordercode": decision.id,
        "processlimited": datetime.fromisoformat(due).strftime(TIME) if due else "",
        **{name: getattr(decision, name) for name in FIELDS},
    }
