"""Tracing: spans of requests for an OpenTelemetry collector, where an office has one (extra `otel`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.errors import InputError
from serving.door.identity import route_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk import trace as sdk
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    MISSING = error.name or "opentelemetry"
else:
    MISSING = ""


class NoTracing(InputError):
    """设置 JIESU_OTEL_ENDPOINT：没有装 {missing}；请先运行 pip install 'jiesu[otel]'，或去掉这个设置"""


def exporter(endpoint: str) -> TracerProvider:
    """What sends spans to a collector, by OTLP over HTTP; raises `NoTracing` where the extra is not installed."""
    if MISSING:
        raise NoTracing(missing=MISSING)
    provider = sdk.TracerProvider(resource=Resource.create({"service.name": "jiesu"}))
    url = endpoint if endpoint.endswith("/v1/traces") else endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider


class Traced:
    """ASGI middleware: one span a request, with its method, route and status; the caller's trace goes on in it.

    Attributes are those of OpenTelemetry's semantic conventions for HTTP. Spans that wait are sent when the app ends.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._provider = provider
        self._tracer = provider.get_tracer("jiesu")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within a span."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            await self._span(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _span(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, status = scope["method"], 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = self._propagator.extract(carrier)
        with self._tracer.start_as_current_span(
            method, context, SpanKind.SERVER,
            record_exception=False, set_status_on_exception=False,  # messages may quote a petition
        ) as span:  # fmt: skip
            try:
                await self._app(scope, receive, noted)
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {"http.request.method": method, "http.route": route, "http.response.status_code": status}
                )
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            await asyncio.to_thread(self._provider.shutdown)
