"""Decisions: the door at which petitions come in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serving.access.scope import Scope
from serving.door.body import body_of
from serving.door.described import described
from serving.journal.unit import Unit
from serving.repeats import Repeat, once
from serving.schema import Accuracy, DecisionReply, DecisionRequest
from serving.service import Answered, How, Service


def routes(service: Service) -> APIRouter:
    """`POST /v1/decisions`."""
    router = APIRouter()

    async def decisions(request: Request) -> Response:
        """为最多 1000 件诉求作出决定，次序不变。"""
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)

        async def answer(repeat: Repeat | None) -> bytes:
            asked = DecisionRequest.model_validate_json(body)
            petitions = [petition.petition(service.settings.zone) for petition in asked.petitions]
            how = How(asked.profile or "", asked.accuracy is Accuracy.high, asked.evidence)

            def closing(unit: Unit, answered: Answered) -> None:
                if repeat:
                    repeat.finish(unit, answered.body)

            return (await service.decide(petitions, who, how, closing)).body

        return await once(service, request, who, body, answer)

    router.add_api_route("/v1/decisions", decisions, methods=["POST"], **described(DecisionRequest, DecisionReply))
    return router
