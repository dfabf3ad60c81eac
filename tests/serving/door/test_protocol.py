"""The protocol against clients that send too much, too slowly, or nonsense: raw sockets at a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat
from typing import Any

import pytest
import websockets

MIB = 1024 * 1024
GET = b"GET /page/one HTTP/1.1\r\nhost: x\r\n"
LAST = b"connection: close\r\n\r\n"
POST = b"POST /size HTTP/1.1\r\nhost: x\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
ONE = b'{"name":"one"}'


def status(reply: bytes) -> int:
    assert reply.startswith(b"HTTP/1.1 "), reply[:100]
    return int(reply.split(b" ", 2)[1])


def refused(reply: bytes, expected: int) -> None:
    """One whole answer: a problem, with the headers that every answer has, after which the connection is closed."""
    head, _, body = reply.partition(b"\r\n\r\n")
    assert status(reply) == expected
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    assert b"nosniff" in head
    assert json.loads(body)["status"] == expected


def flooded(site: Any, first: bytes, pieces: Iterator[bytes]) -> bytes:
    """What comes back for a stream that is cut only by the server."""
    client = site.connect(first)
    for piece in islice(pieces, 200):
        if not client.send(piece):
            break
    return bytes(client.rest())


ENDLESS = {
    "value": (GET + b"x: ", repeat(b"y" * 65536), 431),
    "name": (GET, repeat(b"y" * 65536), 431),
    "many": (GET, repeat(b"x-a: b\r\n" * 4000), 431),
    "target": (b"GET /", repeat(b"y" * 65536), 414),
}


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_a_head_without_an_end_is_cut(site: Any, kind: str) -> None:
    first, pieces, expected = ENDLESS[kind]
    refused(flooded(site, first, pieces), expected)
    assert site.answers()


@pytest.mark.parametrize("piece", [b"z" * 1000, b"z"])
def test_a_trailer_without_an_end_is_cut(site: Any, piece: bytes) -> None:
    reply = flooded(site, CHUNKED + b"1\r\nx\r\n0\r\nx-late: ", cycle([piece * 65536]))
    refused(reply, 431)


def test_an_extension_of_a_chunk_without_an_end_is_cut(site: Any) -> None:
    refused(flooded(site, CHUNKED + b"1;x=", repeat(b"y" * 65536)), 431)


def test_a_trailer_does_not_become_a_header(site: Any) -> None:
    body = b"3\r\nabc\r\n0\r\nx-api-key: stolen\r\n\r\n"
    reply = site.ask(POST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + body)
    told = json.loads(reply.partition(b"\r\n\r\n")[2])
    assert told == {"size": 3, "headers": ["host", "connection", "transfer-encoding"]}


@pytest.mark.parametrize(("count", "expected"), [(98, 200), (99, 431)])
def test_a_hundred_headers_are_enough(site: Any, count: int, expected: int) -> None:
    assert status(site.ask(GET + b"x: y\r\n" * count + LAST)) == expected


@pytest.mark.parametrize(("size", "expected"), [(30_000, 200), (33_000, 431)])
def test_a_head_of_32_kb_is_enough(site: Any, size: int, expected: int) -> None:
    assert status(site.ask(GET + b"x: " + b"y" * size + b"\r\n" + LAST)) == expected


@pytest.mark.parametrize(("size", "expected"), [(8000, 200), (9000, 414)])
def test_an_address_of_8_kb_is_enough(site: Any, size: int, expected: int) -> None:
    target = b"/page/one?q=" + b"y" * size
    assert status(site.ask(b"GET " + target + b" HTTP/1.1\r\nhost: x\r\n" + LAST)) == expected


def drip(client: Any, pieces: Iterator[bytes], seconds: float = 6) -> float:
    """Send piece after piece until the server has had enough; the seconds since the connection."""
    begun = client.begun
    client.socket.setblocking(False)
    while time.perf_counter() - begun < seconds:
        try:
            part = client.socket.recv(MIB)
        except BlockingIOError:
            part = None
        except ConnectionError:
            break
        if part == b"":
            break
        client.received += part or b""
        if not client.received and not client.send(next(pieces)):
            break
        time.sleep(0.05)
    client.socket.setblocking(True)
    return time.perf_counter() - begun


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_slow_headers_are_cut_while_others_are_answered(site: Any) -> None:
    slow = [site.connect(b"GET / HTTP/1.1\r\nx-") for _ in range(50)]
    assert site.answers()
    took = drip(slow[0], repeat(b"y"))
    assert 0.3 < took < 5
    refused(slow[0].received, 408)
    for client in slow[1:]:
        refused(client.rest(), 408)


def test_slow_headers_after_an_answer_are_cut_too(site: Any) -> None:
    client = site.connect(GET + b"\r\n")
    assert ONE in client.one()
    took = drip(client, cycle(GET[i : i + 1] for i in range(len(GET))))
    assert 0.3 < took < 5


@pytest.mark.parametrize("first", [b"", b"\r\n", GET + b"\r\n"])
def test_who_says_nothing_is_left_without_a_word(site: Any, first: bytes) -> None:
    client = site.connect(first)
    if first.startswith(b"GET"):
        assert ONE in client.one()
    took = drip(client, repeat(b"\r\n"))
    assert 0.3 < took < 5
    assert client.received == b""


def test_a_slow_body_is_cut(site: Any) -> None:
    client = site.connect(POST + b"content-length: 1000\r\n\r\n")
    assert site.answers()
    assert 0.4 < drip(client, repeat(b"x")) < 5
    refused(client.received, 408)
    wait_for(lambda: site.app.state.seen == ["broken off"])


def test_a_long_body_that_keeps_its_pace_is_taken(site: Any) -> None:
    client = site.connect(POST + b"content-length: 6000\r\nconnection: close\r\n\r\n")
    begun = time.perf_counter()
    for _ in range(10):
        client.send(b"x" * 600)
        time.sleep(0.1)
    assert b'"size":6000' in client.rest()
    assert time.perf_counter() - begun > 0.6


def test_a_client_that_goes_on_after_its_answer_is_left(site: Any) -> None:
    client = site.connect(POST + b"content-length: 9999999\r\n\r\n")
    assert status(client.one()) == 413
    assert 0.2 < drip(client, repeat(b"x")) < 5
    assert client.received == b""


@pytest.mark.parametrize("declared", [True, False])
def test_a_hundred_megabytes_are_refused_and_the_answer_is_read(site: Any, declared: bool) -> None:
    head = POST + b"content-length: 104857600\r\n\r\n" if declared else CHUNKED
    client = site.connect(head)
    piece = b"x" * MIB if declared else b"100000\r\n" + b"x" * MIB + b"\r\n"
    sent = sum(client.send(piece) for _ in range(100))
    assert sent
    assert status(client.one()) == 413
    assert site.answers()


def test_a_body_that_is_too_long_is_not_even_asked_for(site: Any) -> None:
    client = site.connect(POST + b"content-length: 104857600\r\nexpect: 100-continue\r\n\r\n")
    assert status(client.one()) == 413


def test_requests_in_a_row_are_answered_in_order(site: Any) -> None:
    asked = b"".join(b"GET /page/n%d HTTP/1.1\r\nhost: x\r\n\r\n" % number for number in range(9))
    reply = site.ask(asked + GET + LAST)
    assert [reply.index(b'"n%d"' % number) for number in range(9)] == sorted(
        reply.index(b'"n%d"' % number) for number in range(9)
    )
    assert reply.count(b"HTTP/1.1 200") == 10


def test_a_thousand_requests_in_a_row_are_too_many(site: Any) -> None:
    reply = site.ask((GET + b"\r\n") * 1000)
    assert 1 <= reply.count(b"HTTP/1.1 200") <= 20
    assert reply.count(b"HTTP/1.1") == reply.count(b"HTTP/1.1 200")
    assert site.answers()


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02", b"GET /\x00 HTTP/1.1\r\n\r\n", b"A" * 100 + b"\r\n\r\n"])
def test_garbage_behind_a_request_does_not_become_its_answer(site: Any, garbage: bytes) -> None:
    slow = b"GET /page/one?wait=0.2 HTTP/1.1\r\nhost: x\r\n\r\n"
    reply = site.ask(slow + garbage)
    assert status(reply) == 200
    assert reply.endswith(ONE)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        GET + b"a b: c\r\n\r\n", GET + b"a: b\x00c\r\n\r\n", GET + b" folded: x\r\n\r\n",
        POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        POST + b"content-length: -1\r\n\r\n", POST + b"content-length: 1e3\r\n\r\n",
        POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(site: Any, request_: bytes) -> None:
    refused(site.ask(request_), 400)
    assert site.answers()


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\nx", b"FFFFFFFFFFFFFFFFF\r\nx", b"1\r\nxx\r\n0\r\n\r\n"])
def test_a_chunk_that_is_none_is_refused(site: Any, chunk: bytes) -> None:
    refused(site.ask(CHUNKED + chunk), 400)


def test_who_sends_no_more_is_still_answered(site: Any) -> None:
    client = site.connect(b"GET /page/one?wait=0.1 HTTP/1.1\r\nhost: x\r\n\r\n")
    client.socket.shutdown(1)
    reply = client.rest()
    assert status(reply) == 200
    assert ONE in reply


def test_who_ends_in_the_middle_is_left(site: Any) -> None:
    for begun in (GET, POST + b"content-length: 10\r\n\r\nabc"):
        client = site.connect(begun)
        time.sleep(0.05)
        client.socket.shutdown(1)
        assert client.rest() == b""
    wait_for(lambda: site.app.state.seen == ["broken off"])


def test_who_does_not_read_its_answer_is_cut(site: Any) -> None:
    client = site.connect(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
    wait_for(lambda: site.app.state.seen == ["large ended"])
    assert len(client.rest()) < 64 * MIB
    assert site.answers()


def test_who_reads_slowly_but_steadily_gets_all(site: Any) -> None:
    client = site.connect(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    size = 0
    while part := client.socket.recv(MIB):
        size += len(part)
        time.sleep(0.005)
    assert size > 64 * MIB


def test_beyond_its_number_of_connections_it_says_so(site: Any) -> None:
    held = [site.connect(b"GET / HTTP/1.1\r\n") for _ in range(60)]
    time.sleep(0.1)
    reply = site.connect().rest()
    refused(reply, 503)
    assert b"retry-after: 1" in reply
    held[0].socket.close()
    time.sleep(0.05)
    assert site.answers()


def test_a_websocket_outlives_the_time_for_a_head(site: Any) -> None:
    async def talk() -> object:
        async with websockets.connect(f"ws://127.0.0.1:{site.port}/socket") as connection:
            await asyncio.sleep(1.2)
            await connection.send("还在吗")
            return await connection.recv()

    assert asyncio.run(talk()) == "还在吗"


def test_a_server_that_stops_waits_for_its_answers_and_for_nobody_else(
    small: Callable[[], Any], serve: Callable[..., Any], site: Any
) -> None:
    with serve(small(), site.limits) as own:
        silent, slow = own.connect(b"GET"), own.connect(b"GET /page/one?wait=0.3 HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.1)
        own.server.should_exit = True
        assert ONE in slow.rest()
        silent.rest()
