"""Ids of requests: on the answer, in the log, and nothing else of the request."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.concurrency import run_in_threadpool

from serving.door.gate import SHED
from serving.door.identity import Identity, named
from serving.logs import JsonFormatter, RequestFilter

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log so far, as the service writes it."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RequestFilter())
    logger = logging.getLogger("jiesu")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written]
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.add_middleware(Identity)

    @app.post("/v1/calls/{id}/text")
    async def text(request: Request) -> str:
        request.state.key = "k7"
        logging.getLogger("jiesu").info("inside")
        await run_in_threadpool(logging.getLogger("jiesu").info, "in a thread")
        return "ok"

    @app.get("/away")
    async def away(request: Request) -> str:
        setattr(request.state, SHED, True)
        return "away"

    return TestClient(app)


def test_an_answer_and_all_lines_of_a_request_carry_its_id(client: TestClient, lines: Callable[[], Any]) -> None:
    reply = client.post("/v1/calls/13987654321/text?name=欧阳建华", headers={"x-request-id": "front-7.a_B"})
    assert reply.headers["x-request-id"] == "front-7.a_B"
    inside, threaded, told = lines()
    assert {line["request_id"] for line in (inside, threaded, told)} == {"front-7.a_B"}
    assert told.pop("ms") >= 0
    assert {key: value for key, value in told.items() if key not in ("time", "logger")} == {
        "level": "INFO", "event": "request", "method": "POST", "route": "/v1/calls/{id}/text", "status": 200,
        "key": "k7", "request_id": "front-7.a_B",
    }  # fmt: skip


def test_no_path_and_no_query_is_in_the_log(client: TestClient, lines: Callable[[], Any]) -> None:
    client.get("/v1/计划/13987654321?name=欧阳建华")
    (told,) = lines()
    assert (told["route"], told["status"]) == ("unknown", 404)
    assert "13987654321" not in str(told)
    assert "欧阳" not in str(told)


@pytest.mark.parametrize("given_", ["", "x" * 65, "a b", "a\nb", "a;b", "编号".encode().decode("latin-1"), "a/b"])
def test_an_odd_id_is_replaced(client: TestClient, given_: str) -> None:
    reply = client.get("/away", headers=[("x-request-id", given_.encode("latin-1"))])  # type: ignore[list-item]
    assert ULID.fullmatch(reply.headers["x-request-id"])


def test_two_requests_have_two_ids_and_a_line_outside_of_them_has_none(
    client: TestClient, lines: Callable[[], Any]
) -> None:
    ids = {client.get("/nowhere").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20
    logging.getLogger("jiesu").info("outside")
    assert "request_id" not in lines()[-1]


def test_a_request_that_was_sent_away_is_not_a_line_of_its_own(client: TestClient, lines: Callable[[], Any]) -> None:
    client.get("/away")
    assert lines() == []


@pytest.mark.parametrize(
    ("sent", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE), (f"cc-{TRACE}-00f067aa0ba902b7-01-more", TRACE),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None), (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-00f067aa0ba902b7", None), ("我叫欧阳建华", None),
    ],
)  # fmt: skip
def test_the_callers_trace_is_told_to_the_log(sent: str, trace: str | None) -> None:
    assert named([(b"traceparent", sent.encode())]).get("trace_id") == trace


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_whatever_is_sent_the_fields_are_plain(request_id: bytes, trace: bytes) -> None:
    fields = named([(b"x-request-id", request_id), (b"traceparent", trace)])
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", fields["request_id"])
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for name, value in fields.items() if name == "trace_id")
