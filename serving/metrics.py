"""Metrics for Prometheus: what was asked, what was decided, how long it took."""

from __future__ import annotations

import os
import time
from collections import Counter as Tally
from collections.abc import Mapping, Sequence

import prometheus_client as prometheus
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.decision import Decision

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SURENESS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
DRIFTS = ("category_psi", "confidence_psi", "unknown_words", "corrected_rate")
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where several workers put their figures together


class Metrics:
    """The counters of one app, in a registry of their own; those of several workers are told as one."""

    def __init__(self, model: str) -> None:
        self.registry = prometheus.CollectorRegistry()
        self._requests = self._counter("jiesu_requests", "Requests by path and status", "path", "status")
        self._seconds = self._histogram("jiesu_request_seconds", "Time to answer", LATENCIES, "path")
        self._decisions = self._counter("jiesu_decisions", "Decisions", "category", "tier", "needs_human")
        self._confidence = self._histogram("jiesu_confidence", "Confidence of the category", SURENESS)
        self._turned_away = self._counter("jiesu_refused", "Requests refused at the door, by reason", "reason")
        self._deliveries = self._counter(
            "jiesu_deliveries", "Attempts to tell a target of an event", "target", "result"
        )
        self._dead_letters = self._gauge("jiesu_dead_letters", "Events given up, kept to be replayed", "target")
        self._queue = self._gauge("jiesu_queue_depth", "Writes that wait for the store, of one worker")
        self._drift = self._gauge("jiesu_drift", "This week against the training data: indices and shares", "what")
        self._model = self._gauge("jiesu_model_info", "Model in use", "name")
        self._refused = self._gauge("jiesu_rules_refused", "1 while changed rule files are not in force")
        self._model_refused = self._gauge(
            "jiesu_model_refused", "1 while the model that the registry names is not in use"
        )
        self._batches = self._gauge("jiesu_batches", "Backlogs sent by HTTP, by state", "state")
        self._batch_jobs = self._gauge("jiesu_batch_jobs_waiting", "Chunks and other jobs of backlogs that wait")
        self._batch_chunks = self._gauge("jiesu_batch_chunks_done", "Chunks done of the backlogs that are kept")
        self._known: dict[tuple[str, int], tuple[prometheus.Counter, prometheus.Histogram]] = {}
        self._named = ""
        self.model(model, refused=False)

    def _counter(self, name: str, told: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float], *labels: str) -> prometheus.Histogram:
        return prometheus.Histogram(name, told, labels, buckets=buckets, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> prometheus.Gauge:
        """Of several workers the one that spoke last is believed."""
        return prometheus.Gauge(name, told, labels, registry=self.registry, multiprocess_mode="mostrecent")

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions."""
        tally = Tally((d.category.code, d.tier.code, str(d.needs_human).lower()) for d in decisions)
        for labels, count in tally.items():
            self._decisions.labels(*labels).inc(count)
        for decision in decisions:
            self._confidence.observe(decision.category.confidence)

    def refused(self, reason: str) -> None:
        """Count a request that was refused at the door: missing, key, scope, rate."""
        self._turned_away.labels(reason).inc()

    def delivered(self, target: str, result: str) -> None:
        """Count an attempt to tell a target of an event: done, failed or dead."""
        self._deliveries.labels(target, result).inc()

    def dead_letters(self, counts: Mapping[str, int]) -> None:
        """Note how many events each target was never told of."""
        for target, count in counts.items():
            self._dead_letters.labels(target).set(count)

    def rules_refused(self, refused: bool) -> None:
        """Note whether the rule files as they are now are refused."""
        self._refused.set(refused)

    def model(self, name: str, *, refused: bool) -> None:
        """Note which model is in use, and whether another one was refused."""
        if self._named and self._named != name:
            self._model.labels(self._named).set(0)
        self._named = name
        self._model.labels(name).set(1)
        self._model_refused.set(refused)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = self._known.get((path, status))
        if known is None:
            known = (self._requests.labels(path, str(status)), self._seconds.labels(path))
            self._known[(path, status)] = known
        known[0].inc()
        known[1].observe(seconds)

    def waiting(self, writes: int) -> None:
        """Note how many writes wait for the store."""
        self._queue.set(writes)

    def drifted(self, category: float, confidence: float, unknown: float, corrected: float) -> None:
        """Note how far this week's petitions are from what the model had learned."""
        for name, value in zip(DRIFTS, (category, confidence, unknown, corrected), strict=True):
            self._drift.labels(name).set(value)

    def batches(self, waiting: int, chunks: int, states: Mapping[str, int]) -> None:
        """Note how many jobs of backlogs wait, how many chunks are done, and how many backlogs are in each state."""
        self._batch_jobs.set(waiting)
        self._batch_chunks.set(chunks)
        for state, count in states.items():
            self._batches.labels(state).set(count)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        if SHARED not in os.environ:
            return prometheus.generate_latest(self.registry)
        together = prometheus.CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(together)


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
