"""Operations: whether the service lives, whether it can answer, and its figures."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from serving.service import Service


def routes(service: Service) -> APIRouter:
    """`GET /healthz`, `/readyz` and `/metrics`; no key is asked for."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """进程活着。"""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> dict[str, str]:
        """模型已载入，存储够得着，可以作答。"""
        await run_in_threadpool(service.journal.read, lambda connection: connection.scalar(text("SELECT 1")))
        return {"status": "ready"}

    @router.get("/metrics", response_class=Response)
    async def page() -> Response:
        """Prometheus 指标。"""
        service.metrics.waiting(service.journal.depth)
        return Response(service.metrics.page(), media_type="text/plain; version=0.0.4")

    return router
