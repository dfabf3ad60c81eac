"""The door as a whole: all that a request passes before the service sees it."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from serving.door.gate import Gate
from serving.door.handling import Handling
from serving.door.headers import Headers
from serving.door.hosts import Hosts
from serving.door.identity import Identity
from serving.door.load import Load, Queue
from serving.door.protocol import BoundedProtocol
from serving.door.reading import Limits
from serving.door.tracing import Traced, exporter
from serving.metrics import Metrics
from serving.settings import Settings

ASKED = ("authorization", "content-type", "idempotency-key", "x-api-key", "x-request-id")
SHOWN = ("retry-after", "x-request-id")


def guarded(app: FastAPI, settings: Settings, journal: Queue, metrics: Metrics) -> None:
    """Put the door before an app, the outermost part last; raises `NoTracing`.

    A request passes Identity, Traced, Headers, Hosts, CORS, Gate and Handling, so that one that is sent away has its
    id and its headers too.
    """
    app.add_middleware(Handling, metrics=metrics, seconds=settings.request_seconds)
    load = Load(journal, few=settings.max_requests // 4)
    app.add_middleware(Gate, load=load, metrics=metrics, most=settings.max_requests)
    if settings.cors_origins:
        # Keys are sent by scripts, so cookies are never needed: that rules out `*` together with credentials.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=ASKED,
            expose_headers=SHOWN,
            allow_credentials=False,
        )
    if settings.hosts or settings.insecure:
        app.add_middleware(Hosts, named=settings.hosts, metrics=metrics)
    app.add_middleware(Headers)
    if settings.otel_endpoint:
        app.add_middleware(Traced, provider=exporter(settings.otel_endpoint))
    app.add_middleware(Identity)


def protocol_of(settings: Settings, metrics: Metrics) -> type[BoundedProtocol]:
    """The protocol for `uvicorn.Config(http=…)`."""

    class Bounded(BoundedProtocol):
        """The protocol with the limits of these settings."""

    Bounded.limits, Bounded.metrics = Limits(body_seconds=settings.request_seconds), metrics
    return Bounded
