"""Label Studio: an ML backend that marks tasks beforehand, and takes finished annotations as feedback.

The protocol is that of github.com/HumanSignal/label-studio-ml-backend, under `/labelstudio`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nlp.decision import Decision
from nlp.errors import InputError
from serving.access.scope import Scope
from serving.access.who import Who
from serving.adapters.annotation import Config, Task, Webhook, take
from serving.adapters.choices import PLACE, Question, questions
from serving.adapters.tongue import Tongue, told
from serving.door.body import body_of
from serving.schema import MOST_PETITIONS
from serving.service import Service

PREFIX = "/labelstudio"
TONGUE = Tongue(lambda _, message: {"error": message})


class PredictRequest(BaseModel):
    """Tasks to mark, and the configuration that says what is asked."""

    model_config = ConfigDict(extra="ignore")

    tasks: Annotated[list[Task], Field(max_length=MOST_PETITIONS)]
    label_config: Config


class SetupRequest(BaseModel):
    """A project that wants marks; its configuration may still be empty."""

    model_config = ConfigDict(extra="ignore")

    label_config: Annotated[Config | None, Field(alias="schema")] = None


def routes(service: Service) -> APIRouter:
    """`/labelstudio/health`, `/setup`, `/predict` and `/webhook`."""
    router, backend = TONGUE.router(), Backend(service)
    add = partial(router.add_api_route, tags=["adapters"])
    add(f"{PREFIX}/health", backend.health, methods=["GET"], responses=TONGUE.replies)
    add(f"{PREFIX}/setup", backend.setup, methods=["POST"], **TONGUE.reads(SetupRequest))
    add(f"{PREFIX}/predict", backend.predict, methods=["POST"], **TONGUE.reads(PredictRequest))
    add(f"{PREFIX}/webhook", backend.webhook, methods=["POST"], **TONGUE.reads(Webhook))
    return router


@dataclass(frozen=True)
class Backend:
    """The endpoints of an ML backend."""

    service: Service

    async def health(self, _: Request) -> Response:
        """Label Studio：后端在不在；不要密钥。"""
        return told({"status": "UP", "model_class": "jiesu"})

    async def setup(self, request: Request) -> Response:
        """Label Studio：项目接上后端；标注界面读不了时，这里就会说。"""
        _, body = await self._come_in(request)
        asked = SetupRequest.model_validate_json(body)
        model = self.service.office.decider.model
        if asked.label_config:
            questions(asked.label_config, model.taxonomy)
        return told({"model_version": model.name})

    async def predict(self, request: Request) -> Response:
        """Label Studio：给任务预先标上 Choices；任务带有 decision_id 的，不再另记一个决定。"""
        who, body = await self._come_in(request)
        asked = PredictRequest.model_validate_json(body)
        wanted = questions(asked.label_config, self.service.office.decider.model.taxonomy)
        if not wanted:
            raise InputError(place=PLACE, reason="没有一个 Choices 的选项是本服务的编码或名称")
        decisions = await self._decided(asked.tasks, wanted, who)
        predictions = [
            predicted(decision, wanted) | {"decision_id": task.decision_id or decision.decision_id}
            for task, decision in zip(asked.tasks, decisions, strict=True)
        ]
        return told({"results": predictions})

    async def webhook(self, request: Request) -> Response:
        """Label Studio：做完的标注成为对决定的反馈；别的通知都不理会。"""
        who, body = await self._come_in(request)
        kept = await take(self.service, who, Webhook.model_validate_json(body))
        if isinstance(kept, str):
            return told({"status": "ignored", "reason": kept})
        return told({"status": "recorded", "feedback_id": kept.feedback_id, "decision_id": kept.decision_id})

    async def _come_in(self, request: Request) -> tuple[Who, bytes]:
        """Who asks, and the body."""
        who = await self.service.access.admit(keyed(request), Scope.operator)
        return who, await body_of(request, self.service.settings.max_body)

    async def _decided(self, tasks: Sequence[Task], wanted: Sequence[Question], who: Who) -> list[Decision]:
        """One decision for each task; those made from decisions that are on record are not recorded again."""
        if len({one.field for one in wanted}) > 1:
            raise InputError(place=PLACE, reason="各个 Choices 须标注同一段文字")
        petitions = [task.petition(wanted[0].field, number) for number, task in enumerate(tasks)]
        known = [bool(task.decision_id) for task in tasks]
        seen = await self.service.decided([petition for petition, old in zip(petitions, known, strict=True) if old])
        fresh = [petition for petition, old in zip(petitions, known, strict=True) if not old]
        made = (await self.service.decide(fresh, who)).decisions if fresh else []
        again, new = iter(seen), iter(made)
        return [next(again if old else new) for old in known]


def predicted(decision: Decision, wanted: Sequence[Question]) -> dict[str, Any]:
    """A prediction: a mark for each question that offers what was decided; its score is that of the least sure."""
    marks = []
    for question in wanted:
        answer = getattr(decision, question.task)
        if answer.code in question.choices:
            marks.append({
                "from_name": question.name, "to_name": question.to_name, "type": "choices",
                "value": {"choices": [question.choices[answer.code]]}, "score": answer.confidence,
            })  # fmt: skip
    score = min((mark["score"] for mark in marks), default=0.0)
    return {"model_version": decision.model, "score": score, "result": marks}


def keyed(request: Request) -> Request:
    """The request with the password of HTTP Basic as its key, which is all that Label Studio can send to a backend."""
    scheme, _, code = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request
    try:
        password = b64decode(code, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return request
    headers = [*request.scope["headers"], (b"x-api-key", password)]
    return Request({**request.scope, "headers": headers}, request.receive)
