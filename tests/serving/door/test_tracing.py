"""Spans of requests, as OpenTelemetry's own exporter sees them."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from serving.door import tracing
from serving.door.tracing import NoTracing, Traced, exporter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def client(spans: InMemorySpanExporter) -> TestClient:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = FastAPI()
    app.add_middleware(Traced, provider=provider)

    @app.get("/v1/calls/{id}")
    async def call(id: str) -> str:  # noqa: A002
        if id == "broken":
            raise KeyError("我叫欧阳建华")
        return id

    return TestClient(app, raise_server_exceptions=False)


def test_a_request_is_a_span_in_the_trace_of_its_caller(client: TestClient, spans: InMemorySpanExporter) -> None:
    client.get("/v1/calls/13987654321?a=1", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    (span,) = spans.get_finished_spans()
    assert span.name == "GET /v1/calls/{id}"
    assert span.kind is SpanKind.SERVER
    assert span.attributes == {
        "http.request.method": "GET", "http.route": "/v1/calls/{id}", "http.response.status_code": 200
    }  # fmt: skip
    assert span.context
    assert f"{span.context.trace_id:032x}" == TRACE
    assert "13987654321" not in span.to_json()


def test_a_crash_is_an_error_without_its_message(client: TestClient, spans: InMemorySpanExporter) -> None:
    client.get("/v1/calls/broken")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.events == ()
    assert "欧阳" not in span.to_json()


def test_what_waits_is_sent_when_the_app_ends(spans: InMemorySpanExporter) -> None:
    provider = TracerProvider()
    ended: list[bool] = []
    provider.shutdown = lambda: ended.append(True)  # type: ignore[method-assign]
    app = FastAPI()
    app.add_middleware(Traced, provider=provider)
    with TestClient(app):
        assert not ended
    assert ended


def test_a_collector_is_named_by_its_root_or_its_full_address() -> None:
    for endpoint in ("http://127.0.0.1:9", "http://127.0.0.1:9/", "http://127.0.0.1:9/v1/traces"):
        provider = exporter(endpoint)
        (processor,) = provider._active_span_processor._span_processors
        assert processor.span_exporter._endpoint == "http://127.0.0.1:9/v1/traces"  # type: ignore[attr-defined]
        provider.shutdown()


def test_tracing_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MISSING", "opentelemetry.sdk")
    with pytest.raises(NoTracing, match=r"JIESU_OTEL_ENDPOINT.*opentelemetry\.sdk"):
        exporter("http://127.0.0.1:4318")
