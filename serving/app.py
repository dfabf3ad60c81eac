"""The HTTP service: `create_app` builds every part and hands it down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from nlp.decider import Decider
from nlp.decision import Decision
from serving import problems
from serving.access import guard
from serving.batcher import Batcher
from serving.metrics import Metrics, Observed
from serving.rules.office import Office, open_decider
from serving.schema import Accuracy, DecisionReply, DecisionRequest, Problem
from serving.settings import Settings

NO_ENCODER = "这个模型没有编码器，按 accuracy=fast 作答"
PURPOSE = "读懂每一件诉求：是什么、谁来办、多快办、为什么"
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def create_app(settings: Settings, decider: Decider | None = None) -> FastAPI:
    """The service for these settings; raises `JiesuError` when it must not or cannot start."""
    settings.check_start()
    decider = decider or open_decider(settings)
    decider.router.check(settings.profile)
    metrics = Metrics(decider.model.name)
    office = Office(decider, settings.rules, settings.profile, None if settings.model else settings.home)
    # No ReDoc: its page loads a logo from another host.
    lifespan = watching(office, settings, metrics)
    app = FastAPIOffline(redoc_url=None, title="jiesu 接诉", version="1", description=PURPOSE, lifespan=lifespan)
    app.add_middleware(Observed, metrics=metrics)
    problems.install(app)
    _add_decisions(app, settings, office, metrics)
    _add_facts(app, settings, office)
    _add_operations(app, metrics)
    return app


class Direct(APIRoute):
    """A route whose endpoint takes the request as it is, without FastAPI's own parsing and encoding."""

    def get_route_handler(self) -> Handler:
        """The endpoint itself."""
        return self.endpoint


def _add_decisions(app: FastAPI, settings: Settings, office: Office, metrics: Metrics) -> None:
    admit = guard(settings)

    @lru_cache(maxsize=1)
    def batcher_of(decider: Decider) -> Batcher:
        """The batcher of the decider in force; requests that wait at an older one are answered by it."""
        return Batcher(decider, settings.now)

    async def decisions(request: Request) -> Response:
        """为最多 1000 件诉求作出决定，次序不变。"""
        await admit(request)
        asked = DecisionRequest.model_validate_json(await body_of(request, settings.max_body))
        petitions = [petition.petition(settings.zone) for petition in asked.petitions]
        decider, high = office.decider, asked.accuracy is Accuracy.high
        able = decider.model.encoder is not None
        answer = await batcher_of(decider).decide(
            petitions, asked.profile or settings.profile, evidence=asked.evidence, high=high and able
        )
        if high and not able:
            note_missing_encoder(answer)
        metrics.decided(answer)
        return Response(orjson.dumps({"decisions": answer}), media_type="application/json")

    content = {"application/json": {"schema": inlined(DecisionRequest.model_json_schema())}}
    app.router.add_api_route(
        "/v1/decisions",
        decisions,
        methods=["POST"],
        response_model=DecisionReply,
        responses=REPLIES,
        openapi_extra={"requestBody": {"required": True, "content": content}},
        route_class_override=Direct,
    )


def watching(office: Office, settings: Settings, metrics: Metrics) -> Lifespan:
    """While the service runs, changed rules and promoted models are put in force, or refused as a whole."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(settings.rules_every)
            await run_in_threadpool(office.refresh)
            metrics.rules_refused(bool(office.refused))
            await run_in_threadpool(office.refresh_model)
            metrics.model(office.decider.model.name, refused=bool(office.refused_model))

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        watcher = asyncio.create_task(watch()) if settings.rules_every else None
        yield
        if watcher:
            watcher.cancel()

    return running


def _add_facts(app: FastAPI, settings: Settings, office: Office) -> None:
    inside = [Depends(guard(settings))]

    @app.get("/v1/taxonomy", dependencies=inside)
    async def taxonomy() -> dict[str, Any]:
        """当前的分类体系：类别树、层级、时限、诉求类型。"""
        model = office.decider.model
        return {**model.taxonomy.as_dict(), "hash": model.taxonomy.hash}

    @app.get("/v1/profiles", dependencies=inside)
    async def profiles() -> dict[str, Any]:
        """可用的治理体系、派单目录，和没有被接受的规则改动。"""
        router = office.decider.router
        rules = router.rules
        return {
            "default": settings.profile,
            "profiles": [profile.told for profile in router.profiles],
            "catalogue": {"rows": len(rules.catalogue.rows), "version": rules.catalogue.version},
            "refused": office.refused,
        }

    @app.get("/v1/models/current", dependencies=inside)
    async def current() -> dict[str, Any]:
        """正在使用的模型：名称、训练数据、成绩；登记处指定而没有被接受的模型，以及原因。"""
        model = office.decider.model
        return {
            "name": model.name, "card": model.card, "scores": model.scores, "tasks": model.tasks,
            "thresholds": {"confidence": model.thresholds.confidence, "margin": model.thresholds.margin},
            "refused": office.refused_model,
        }  # fmt: skip


def _add_operations(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """进程活着。"""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        """模型已载入，可以作答。"""
        return {"status": "ready"}

    @app.get("/metrics", response_class=Response)
    async def page() -> Response:
        """Prometheus 指标。"""
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")


async def body_of(request: Request, limit: int) -> bytes:
    """The body of a request, refused as soon as it passes the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise problems.TooLarge(limit=limit)
        parts.append(part)
    return b"".join(parts)


def note_missing_encoder(decisions: list[Decision]) -> None:
    """Say in each decision that the encoder asked for is not there."""
    for decision in decisions:
        decision.reasons.append(NO_ENCODER)


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with its `$defs` put where they are referred to, as OpenAPI needs it here."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return walk(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {key: walk(value) for key, value in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    result: dict[str, Any] = walk(schema)
    return result


REPLIES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": inlined(Problem.model_json_schema())}},
    }
    for status in (401, 413, 422)
}
