"""KServe: the Open Inference Protocol (V2) over HTTP, JSON alone, for one model by the name of jiesu.

The protocol: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from nlp.errors import InputError
from serving.access.scope import Scope
from serving.adapters.tensors import BYTES, INPUTS, OUTPUTS, InferRequest, output
from serving.adapters.tongue import Tongue, told
from serving.door.body import body_of
from serving.schema import Accuracy
from serving.service import How, Service

MODEL: Literal["jiesu"] = "jiesu"
Name = Literal["jiesu"]  # for the description alone: what comes in the path is any text
BINARY = "inference-header-content-length"
TONGUE = Tongue(lambda _, message: {"error": message}, {422: 400})


def routes(service: Service) -> APIRouter:
    """The paths under `/v2`."""
    router, server = TONGUE.router(), Server(service)
    add = partial(router.add_api_route, tags=["adapters"], methods=["GET"], responses=TONGUE.replies)
    add("/v2", server.about)
    add("/v2/health/live", server.live)
    add("/v2/health/ready", server.ready)
    add("/v2/models/{model}", server.model)
    add("/v2/models/{model}/ready", server.model_ready)
    infer = TONGUE.reads(InferRequest)
    router.add_api_route("/v2/models/{model}/infer", server.infer, methods=["POST"], tags=["adapters"], **infer)
    return router


@dataclass(frozen=True)
class Server:
    """The endpoints of an inference server; what probes ask needs no key."""

    service: Service

    async def live(self, _: Request) -> Response:
        """KServe：进程活着；不要密钥。"""
        return told({"live": True})

    async def ready(self, _: Request) -> Response:
        """KServe：可以作答；不要密钥。"""
        return told({"ready": True})

    async def model_ready(self, _: Request, model: Name) -> Response:
        """KServe：模型可以作答；不要密钥。"""
        check(model)
        return told({"name": MODEL, "ready": True})

    async def about(self, request: Request) -> Response:
        """KServe：服务的名称。"""
        await self.service.access.admit(request, Scope.operator)
        return told({"name": MODEL, "version": request.app.version, "extensions": []})

    async def model(self, request: Request, model: Name) -> Response:
        """KServe：模型的版本、输入和输出。"""
        await self.service.access.admit(request, Scope.operator)
        check(model)
        inputs = [{"name": name, "datatype": BYTES, "shape": [-1]} for name in INPUTS]
        outputs = [{"name": name, "datatype": kind, "shape": [-1]} for name, (kind, _) in OUTPUTS.items()]
        version = self.service.office.decider.model.name
        return told({"name": MODEL, "versions": [version], "platform": MODEL, "inputs": inputs, "outputs": outputs})

    async def infer(self, request: Request, model: Name) -> Response:
        """KServe：为至多 1000 件诉求作出决定，次序不变。"""
        who = await self.service.access.admit(request, Scope.operator)
        check(model)
        if BINARY in request.headers:
            raise InputError(place=BINARY, reason="不收二进制张量，请用 JSON（binary_data=False）")
        asked = InferRequest.model_validate_json(await body_of(request, self.service.settings.max_body))
        names, parameters = asked.names, asked.parameters
        how = How(parameters.profile, parameters.accuracy is Accuracy.high, parameters.evidence)
        answered = await self.service.decide(asked.petitions(), who, how)
        reply = {
            "model_name": MODEL,
            "model_version": self.service.office.decider.model.name,
            "outputs": [output(name, answered.decisions, answered.contents) for name in names],
        }
        return told(reply | ({} if asked.id is None else {"id": asked.id}))


def check(model: str) -> None:
    """Raise 404 for any other model than ours."""
    if model != MODEL:
        raise HTTPException(404, f"没有这个模型，只有 {MODEL}")
