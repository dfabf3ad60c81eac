"""Metrics for Prometheus: what was asked, what was decided, how long it took."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Sequence

import prometheus_client as prometheus
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.decision import Decision

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one app, in a registry of their own."""

    def __init__(self, model: str) -> None:
        self.registry = prometheus.CollectorRegistry()
        self._requests = prometheus.Counter(
            "jiesu_requests", "Requests by path and status", ["path", "status"], registry=self.registry
        )
        self._seconds = prometheus.Histogram(
            "jiesu_request_seconds", "Time to answer", ["path"], buckets=LATENCIES, registry=self.registry
        )
        self._decisions = prometheus.Counter(
            "jiesu_decisions", "Decisions", ["category", "tier", "needs_human"], registry=self.registry
        )
        self._refused = prometheus.Gauge(
            "jiesu_rules_refused", "1 while changed rule files are not in force", registry=self.registry
        )
        self._known: dict[tuple[str, int], tuple[prometheus.Counter, prometheus.Histogram]] = {}
        self._model = prometheus.Info("jiesu_model", "Model in use", registry=self.registry)
        self._model_refused = prometheus.Gauge(
            "jiesu_model_refused", "1 while the model that the registry names is not in use", registry=self.registry
        )
        self.model(model, refused=False)

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        tally = Tally((d.category.code, d.tier.code, str(d.needs_human).lower()) for d in decisions)
        for labels, count in tally.items():
            self._decisions.labels(*labels).inc(count)

    def rules_refused(self, refused: bool) -> None:
        """Note whether the rule files as they are now are refused."""
        self._refused.set(refused)

    def model(self, name: str, *, refused: bool) -> None:
        """Note which model is in use, and whether another one was refused."""
        self._model.info({"name": name})
        self._model_refused.set(refused)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = self._known.get((path, status))
        if known is None:
            known = (self._requests.labels(path, str(status)), self._seconds.labels(path))
            self._known[(path, status)] = known
        known[0].inc()
        known[1].observe(seconds)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return prometheus.generate_latest(self.registry)


class Observed:
    """ASGI middleware that counts and times requests by the path of their route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = scope.get("route")
            self._metrics.answered(getattr(route, "path", "unknown"), status, time.perf_counter() - begun)
