"""Signed forms (晋来办 style): the signature is the key, and each form counts once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from ulid_transform import ulid_now

from nlp.decision import Decision
from nlp.petition import Petition
from serving.access.limits import Limiter, TooMany
from serving.access.rates import Rates
from serving.access.refusals import Refusals
from serving.access.scope import Scope
from serving.adapters.apps import METHODS, SIGN, App, Apps
from serving.adapters.form import BadForm, form_body, form_of, time_of
from serving.adapters.markup import answers
from serving.adapters.tongue import Tongue, told
from serving.journal.unit import Unit
from serving.service import Answered, Service
from serving.store.tables import requests
from serving.times import millis

PATH = "/adapters/signed/petitions"
WINDOW = 300  # seconds by which a form's clock may be off
TIMESTAMP = re.compile(r"[0-9]{10}")
STATUSES = (200, 400, 401, 409, 413, 415, 429, 503)
REFUSED = "appcode 或 sign 不对"


def _time(written: object, info: ValidationInfo) -> datetime | None:
    return time_of(str(written), info.context or UTC) if str(written).strip() else None


class Form(BaseModel):
    """The fields that count; others are signed like these and never read. The office's zone is the context."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    content: str = ""
    title: str = ""
    phone: str = ""
    address: str = ""
    time: Annotated[datetime | None, BeforeValidator(_time)] = None

    @model_validator(mode="after")
    def _says_something(self) -> Form:
        if not (self.content.strip() or self.title.strip()):
            raise PydanticCustomError("missing", "content 和 title 都没有填")
        return self

    @property
    def petition(self) -> Petition:
        """The petition that the form makes."""
        return Petition("", self.content, self.title, "签名表单", self.address, self.time, self.phone)


@dataclass(frozen=True)
class Proof:
    """What a form showed: its app and its signature, which count once. at: milliseconds. owner: of this request."""

    app: App
    sign: str
    at: int
    owner: str

    def spend(self, unit: Unit, _: Answered) -> None:
        """Take the signature, in the transaction of the decision; 409 where another form had it."""
        name = {"key": self.app.who.key, "name": self.sign}
        row = {**name, "digest": self.sign, "owner": self.owner, "begun_at": self.at, "status": 200, "content": b""}
        unit.put(requests, row)
        same = requests.c.key == name["key"], requests.c.name == name["name"]
        # Whose it is says who was first, also where the journal writes a second time what it had written.
        if unit.connection.scalar(select(requests.c.owner).where(*same)) != self.owner:
            raise HTTPException(409, "这张表单已经收过；要再送一次，换一个 timestamp 重新签名")


def _envelope(status: int, message: str, data: Any = None) -> dict[str, Any]:
    """The answer of the dialect; `code` is the HTTP status."""
    return {"success": status < 400, "code": status, "message": message, "data": data}


TONGUE = Tongue(_envelope, {422: 400})


@dataclass(frozen=True)
class Door:
    """The door for signed forms."""

    service: Service
    apps: Apps
    limiter: Limiter
    refusals: Refusals

    async def petition(self, request: Request) -> Response:
        """一张签名的表单：作出决定。"""
        settings = self.service.settings
        fields = _once(await form_of(request, settings.max_body))
        proof = await self._proof(request, fields)
        await self._count(proof.app)
        petition = Form.model_validate(fields, context=settings.zone).petition
        answered = await self.service.decide([petition], proof.app.who, closing=proof.spend)
        return told(_envelope(200, "已受理", _decided(answered.decisions[0])))

    async def _proof(self, request: Request, fields: dict[str, str]) -> Proof:
        """Who signed; 401 for whoever did not, and, to a signer alone, for a clock that is off."""
        method = fields.get("sign_method") or "hmac-sha256"
        if method not in METHODS:
            raise BadForm(reason=f"sign_method 只有 {'、'.join(METHODS)}")
        app = self.apps.signer(fields.get("appcode", ""), fields.get(SIGN, ""), method, fields)
        if app is None:
            await self._refuse(request, "sign", "")
            raise HTTPException(401, REFUSED)
        now, timestamp = self.service.settings.now(), fields.get("timestamp", "")
        if not TIMESTAMP.fullmatch(timestamp) or abs(int(timestamp) - now.timestamp()) > WINDOW:
            await self._refuse(request, "timestamp", app.who.key)
            raise HTTPException(401, f"timestamp 须是现在的 10 位秒数，相差不过 {WINDOW} 秒")
        return Proof(app, fields[SIGN].lower(), millis(now), ulid_now())

    async def _refuse(self, request: Request, reason: str, actor: str) -> None:
        await self.refusals.note(reason, request.client.host if request.client else "", actor, Scope.operator)

    async def _count(self, app: App) -> None:
        """Count a form towards the app's rate; raises `TooMany`."""
        wait = await self.limiter.hit(app.who.key, app.rate, 1)
        if wait > 0:
            raise TooMany(retry=ceil(wait))


def _once(fields: list[tuple[str, str]]) -> dict[str, str]:
    """The fields by name; a name that comes twice would be signed in one way and read in another."""
    named = dict(fields)
    if len(named) < len(fields):
        raise BadForm(reason="有字段出现了两次")
    return named


def _decided(decision: Decision) -> dict[str, Any]:
    """A decision in the words of the dialect."""
    route, due = decision.route, decision.route.due
    return {
        "decisionId": decision.decision_id,
        "category": decision.category.name, "categoryCode": decision.category.code,
        "categoryPath": decision.category.path,
        "tier": decision.tier.name, "tierCode": decision.tier.code, "clock": decision.clock.name,
        "clockCode": decision.clock.code, "type": decision.type.name, "typeCode": decision.type.code,
        "unit": route.unit, "start": route.start, "mode": route.mode, "due": spaced(due),
        "needsHuman": decision.needs_human, "reasons": decision.reasons,
    }  # fmt: skip


def spaced(written: str) -> str | None:
    """An ISO time in the office's zone as `yyyy-MM-dd HH:mm:ss`."""
    return datetime.fromisoformat(written).strftime("%Y-%m-%d %H:%M:%S") if written else None


def routes(service: Service) -> APIRouter:
    """`POST /adapters/signed/petitions`; raises `RefusedData` for a faulty file of apps."""
    router = TONGUE.router()
    limiter, refusals = Limiter(Rates(service.journal)), Refusals(service.journal, service.metrics)
    door = Door(service, Apps.read(service.settings.signed_apps), limiter, refusals)
    router.add_api_route(
        PATH, door.petition, methods=["POST"], tags=["adapters"], responses=answers("application/json", *STATUSES),
        openapi_extra=form_body("appcode", "timestamp", SIGN, "sign_method", *Form.model_fields),
    )  # fmt: skip
    return router
