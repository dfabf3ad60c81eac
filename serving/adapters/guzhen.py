"""The Chinese hotline envelope (固镇 style): `x-api-key`; `success, message, data` around the fields of an appeal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from nlp.decision import Decision
from nlp.files import DATA, read_lines
from nlp.mask import LABELS
from nlp.petition import Petition
from serving.access.scope import Scope
from serving.adapters.tongue import Tongue, told
from serving.door.body import body_of
from serving.service import Service

PATH = "/adapters/guzhen/appeals"
CHANNEL = "固镇接口"
SURNAMES = tuple(" ".join(read_lines(DATA / "surnames.txt")).split())
LENGTHS = range(2, 9)  # of a caller's name; what is longer or shorter is none


def envelope(status: int, message: str, data: Any = None) -> dict[str, Any]:
    """The answer of the dialect."""
    return {"success": status < 400, "message": message, "data": data}


TONGUE = Tongue(envelope)


def _text(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("string_type", "须是文字")
    return value or ""


Text = Annotated[str | None, BeforeValidator(_text)]


class Appeal(BaseModel):
    """An appeal; what the sender thinks of its kind, deadline and department is not read: that is what we are asked."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)

    caller_name: Text = Field("", description="不保存；正文里出现的也遮去")
    contact_phone: Text = Field("", description="只留带密钥的摘要")
    appeal_type: Text = ""
    appeal_subject: Text = Field("", description="和 remark 至少有一项")
    incident_address: Text = ""
    urgency_level: Text = ""
    expected_deadline: Text = ""
    assigned_dept: Text = ""
    remark: Text = Field("", description="诉求全文")

    @model_validator(mode="after")
    def _says_something(self) -> Appeal:
        if not ((self.appeal_subject or "").strip() or (self.remark or "").strip()):
            raise PydanticCustomError("missing", "appealSubject 和 remark 都没有填")
        return self

    @property
    def petition(self) -> Petition:
        """The petition without the caller's name; a subject that stands alone is the text."""
        subject, remark = self._nameless(self.appeal_subject), self._nameless(self.remark)
        text, title = (remark, subject) if remark.strip() else (subject, "")
        return Petition("", text, title, CHANNEL, self._nameless(self.incident_address), None, self.contact_phone or "")

    def _nameless(self, text: str | None) -> str:
        """A text in which the caller's name, where it is one, gives way to what the masks put there."""
        name = (self.caller_name or "").strip()
        is_name = len(name) in LENGTHS and name.startswith(SURNAMES)
        return (text or "").replace(name, LABELS["name"]) if is_name else text or ""


def routes(service: Service) -> APIRouter:
    """`POST /adapters/guzhen/appeals`."""
    router = TONGUE.router()

    async def appeals(request: Request) -> Response:
        """固镇式接口：一件诉求，填好类型、期限、单位交还。"""
        who = await service.access.admit(request, Scope.operator)
        appeal = Appeal.model_validate_json(await body_of(request, service.settings.max_body))
        answered = await service.decide([appeal.petition], who)
        return told(envelope(200, "成功", filled(answered.decisions[0])))

    router.add_api_route(PATH, appeals, methods=["POST"], tags=["adapters"], **TONGUE.reads(Appeal))
    return router


def filled(decision: Decision) -> dict[str, Any]:
    """The fields of an appeal as the decision fills them; what was said of the caller does not come back."""
    route = decision.route
    due = datetime.fromisoformat(route.due).strftime("%Y-%m-%d %H:%M:%S") if route.due else None
    return {
        "decisionId": decision.decision_id, "appealCode": decision.category.code, "appealType": decision.category.name,
        "appealSubject": decision.masked_title or None, "urgencyLevel": decision.clock.name, "expectedDeadline": due,
        "assignedDept": route.unit, "remark": "；".join(decision.reasons), "needsHuman": decision.needs_human,
        "confidence": decision.category.confidence,
    }  # fmt: skip
