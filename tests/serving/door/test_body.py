"""Bodies: their size, and JSON that is meant to hurt its reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from time import process_time

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from serving import problems
from serving.door.body import BrokenOff, body_of
from serving.schema import DecisionRequest

LIMIT = 4 * 1024 * 1024
DEEP = 100_000


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def read(request: Request) -> dict[str, object]:
        asked = DecisionRequest.model_validate_json(await body_of(request, LIMIT))
        return {"petitions": [petition.model_dump() for petition in asked.petitions]}

    return TestClient(app)


def within(value: bytes, field: bytes = b"further") -> bytes:
    """A request whose one petition holds a value in a field."""
    return b'{"petitions":[{"id":"1","text":"x","' + field + b'":' + value + b"}]}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[{" * DEEP,
        within(b"[" * DEEP + b"]" * DEEP), within(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
        within(b"[" * DEEP + b"]" * DEEP, b"text"), b'{"petitions":' + b"[" * DEEP + b"]" * DEEP + b"}",
    ],
)  # fmt: skip
def test_deep_nesting_is_refused_quickly(client: TestClient, body: bytes) -> None:
    begun = process_time()
    reply = client.post("/", content=body)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert process_time() - begun < 1


@pytest.mark.parametrize("value", [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"', b'"\xff"', b'"a\nb"', b"'x'"])
@pytest.mark.parametrize("field", [b"title", b"further"])
def test_what_is_no_text_is_refused(client: TestClient, value: bytes, field: bytes) -> None:
    reply = client.post("/", content=within(value, field))
    assert reply.status_code == 422


@pytest.mark.parametrize("field", [b"title", b"phone", b"received_at"])
@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"true", b"{}", b"[]"])
def test_a_number_is_no_text(client: TestClient, value: bytes, field: bytes) -> None:
    assert client.post("/", content=within(value, field)).status_code == 422


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"1e999", b"9" * 1_000_000, b"0." + b"1" * 1_000_000])
def test_an_odd_number_that_nobody_reads_costs_nothing(client: TestClient, value: bytes) -> None:
    begun = process_time()
    assert client.post("/", content=within(value)).status_code in {200, 422}
    assert process_time() - begun < 1


def test_of_a_key_that_comes_twice_the_last_one_counts(client: TestClient) -> None:
    petition = b'{"id":"1","id":"2","text":"first","text":"last"}'
    reply = client.post("/", content=b'{"petitions":[],"petitions":[' + petition + b"]}")
    assert [(told["id"], told["text"]) for told in reply.json()["petitions"]] == [("2", "last")]


def test_a_declared_length_over_the_limit_is_refused_without_reading(client: TestClient) -> None:
    read: list[int] = []

    def parts() -> Iterator[bytes]:
        read.append(1)
        yield b"x"

    reply = client.post("/", content=parts(), headers={"content-length": str(LIMIT + 1)})
    assert reply.status_code == 413
    assert str(LIMIT) in reply.json()["detail"]


@pytest.mark.parametrize("length", ["", "-1", "many", "²", "1" * 400])
def test_an_odd_length_is_no_length(client: TestClient, length: str) -> None:
    reply = client.post("/", content=within(b"1"), headers={"content-length": length.encode("utf-8")})  # type: ignore[dict-item]
    assert reply.status_code in {200, 413}


def request_of(*messages: Message) -> Request:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({"type": "http", "headers": []}, receive)


def part(body: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 200))
def test_a_body_is_all_of_its_parts_or_too_large(parts: list[bytes], limit: int) -> None:
    messages = [part(piece, True) for piece in parts] + [part(b"", False)]
    whole = b"".join(parts)
    if len(whole) > limit:
        with pytest.raises(problems.TooLarge):
            asyncio.run(body_of(request_of(*messages), limit))
    else:
        assert asyncio.run(body_of(request_of(*messages), limit)) == whole


def test_a_body_that_breaks_off_is_an_error_of_the_client() -> None:
    with pytest.raises(BrokenOff):
        asyncio.run(body_of(request_of(part(b"{", True), {"type": "http.disconnect"}), 100))


def test_unknown_fields_of_any_shape_are_ignored(client: TestClient) -> None:
    nested: object = 1
    for _ in range(50):
        nested = [{"a": nested}]
    assert client.post("/", content=within(json.dumps(nested).encode())).status_code == 200
