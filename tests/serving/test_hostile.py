"""Hostile input at every door of the whole service: a clear answer, nothing of the machine in it, the store intact."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import func, inspect, select

from nlp.decider import Decider
from serving.app import create_app
from serving.door.doors import protocol_of
from serving.door.refusal import SAFE
from serving.service import Service
from serving.settings import Settings
from serving.store import tables

MIB = 1024 * 1024
NASTY = [
    "' OR '1'='1", "'; DROP TABLE decisions; --", '"; DELETE FROM audit; --', "1 UNION SELECT secret FROM keys",
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "file:///etc/passwd", "%2e%2e%2fetc%2fpasswd",
    "=HYPERLINK(\"http://127.0.0.1/\",\"x\")", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "{{7*7}}${7*7}<%=7*7%>",
    "%s%s%n%n", "<script>alert(1)</script>", "$(id)`id`", "\x00", "a\x00b", "\r\nx-injected: 1", "\u202e\u0000\ufeff",
    "-1", "0", "9" * 40, "1e999", "NaN", "null", "[]", "{}", "true", "", " ", "x" * 5000, "😀" * 300,
]  # fmt: skip
FEW = NASTY[::3]  # at the doors that are tried many times over
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "xxxxxxxxxx">'
    + b"".join(
        b'<!ENTITY a%d "%s">' % (level, (b"&a%d;" % (level - 1) if level else b"&a;") * 10) for level in range(9)
    )
    + b"]><b>&a8;</b>"
)
READS = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY f SYSTEM "file:///etc/passwd">]><b>&f;</b>'
BODIES = {
    "application/json": [
        b"", b"null", b"[]", b"{}", b'"x"', b"0", b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000, b"\xff\xfe",
        b'{"petitions":[{"id":"1","text":"\\ud800"}]}', b'{"a":' + b"9" * 100_000 + b"}", b"{" + b'"a":1,' * 50_000,
        b'[{"a":NaN}]', b'{"__proto__":{"x":1}}',
    ],
    "application/xml": [BOMB, READS, b"<a>" * 50_000, b"<a"],
    "application/x-www-form-urlencoded": [
        b"a=1&" * 50_000, b"%", b"text=%ff%fe", b"sign=" + b"0" * 40 + b"&timestamp=0&appcode=a", b"a[" * 20_000,
    ],
    "multipart/form-data; boundary=x": [
        b'--x\r\ncontent-disposition: form-data; name="f"; filename="../../x"\r\n\r\ny\r\n--x--\r\n',
        b"--x\r\n" * 20_000, b"--x", b"",
    ],
    "application/json; charset=utf-7": [b"+AHsAfQ-"],
}  # fmt: skip
HEADERS = (
    "authorization",
    "x-api-key",
    "idempotency-key",
    "x-request-id",
    "traceparent",
    "content-type",
    "accept",
    "origin",
    "host",
    "range",
    "cookie",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("hostile")
    store = SecretStr(f"sqlite:///{home / 'store.db'}")
    return Settings(insecure=True, home=home, store=store, rules_every=0, max_body=4 * MIB)


@pytest.fixture(scope="module")
def site(settings: Settings, decider: Decider) -> Iterator[TestClient]:
    with TestClient(create_app(settings, decider), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def service(site: TestClient) -> Service:
    app: Any = site.app
    parts: Service = app.state.service
    return parts


@pytest.fixture(autouse=True)
def _intact(site: TestClient, service: Service) -> Iterator[None]:
    """Every table is still there, and what was decided too; the service decides as before."""
    engine = service.journal.engine
    kept, names = count(service), set(inspect(engine).get_table_names())
    yield
    assert set(inspect(engine).get_table_names()) == names
    assert count(service) >= kept
    reply = site.post("/v1/decisions", json={"petitions": [{"id": "1", "text": "路灯不亮，请派人修"}]})
    assert reply.status_code == 200


def count(service: Service) -> int:
    return int(service.journal.read(lambda c: c.execute(select(func.count()).select_from(tables.decisions)).scalar()))


def operations(site: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    described: dict[str, Any] = site.get("/openapi.json").json()["paths"]
    return [(method, path, of) for path, methods in described.items() for method, of in methods.items()]


def clear(reply: Response, *about: object) -> None:
    """An answer that is no crash and tells nothing of the machine."""
    assert reply.status_code < 500, (about, reply.text)
    assert not [sign for sign in ("Traceback", "root:x:", "site-packages", "sqlalchemy", "uid=") if sign in reply.text]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "x-injected" not in reply.headers


def filled(path: str, value: str) -> str:
    return "/".join(quote(value, safe="") if part.startswith("{") else part for part in path.split("/"))


def test_names_in_paths(site: TestClient) -> None:
    for method, path, _ in operations(site):
        for value in FEW if "{" in path else ():
            clear(site.request(method, filled(path, value)), method, path, value)


def test_queries(site: TestClient) -> None:
    for method, path, of in operations(site):
        names = [given["name"] for given in of.get("parameters", ()) if given["in"] == "query"]
        for name in names:
            for value in FEW:
                clear(site.request(method, filled(path, "x"), params={name: value}), method, path, name, value)


@pytest.mark.parametrize("name", HEADERS)
def test_headers(site: TestClient, name: str) -> None:
    values = [value.encode("utf-8") for value in FEW if "\n" not in value and "\x00" not in value]
    for method, path in (("POST", "/v1/decisions"), ("POST", "/v1/feedback"), ("GET", "/v1/taxonomy")):
        for value in [*values, b"\xff\xfe", b"Bearer " + b"x" * 4000, b"Basic Og==", b"text/html; charset=nonsense"]:
            clear(site.request(method, path, headers=[(name.encode(), value)]), path, name, value)  # type: ignore[list-item]


@pytest.mark.parametrize("kind", list(BODIES))
def test_bodies(site: TestClient, kind: str) -> None:
    for method, path, of in operations(site):
        if "requestBody" not in of:
            continue
        for body in BODIES[kind]:
            begun = time.process_time()
            clear(
                site.request(method, filled(path, "x"), content=body, headers={"content-type": kind}), path, body[:40]
            )
            assert time.process_time() - begun < 2


@pytest.mark.parametrize("field", ["id", "text", "title", "channel", "location", "phone"])
def test_petitions(site: TestClient, field: str) -> None:
    values = [value[:200] for value in NASTY]
    petitions = [{"id": str(number), "text": "路灯不亮"} | {field: value} for number, value in enumerate(values)]
    reply = site.post("/v1/decisions", json={"petitions": petitions})
    clear(reply, field)
    assert reply.status_code == 200
    assert [decision["id"] for decision in reply.json()["decisions"]] == [petition["id"] for petition in petitions]


@pytest.mark.parametrize("field", ["decision_id", "verdict", "category", "tier", "clock", "type", "reason", "operator"])
def test_feedback(site: TestClient, field: str) -> None:
    decided = site.post("/v1/decisions", json={"petitions": [{"id": "1", "text": "路灯不亮"}]}).json()["decisions"][0]
    for value in FEW:
        given = {"decision_id": decided["decision_id"], "verdict": "returned", "reason": "x"} | {field: value}
        clear(site.post("/v1/feedback", json=given), field, value)


@pytest.mark.parametrize("field", ["decision_id", "event", "unit", "at"])
def test_outcomes(site: TestClient, field: str) -> None:
    decided = site.post("/v1/decisions", json={"petitions": [{"id": "1", "text": "路灯不亮"}]}).json()["decisions"][0]
    at = "2026-11-23T09:12:03+08:00"
    for value in FEW:
        given = {"decision_id": decided["decision_id"], "event": "dispatched", "unit": "x", "at": at} | {field: value}
        clear(site.post("/v1/outcomes", json=given), field, value)


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/static-offline-docs/../../../../../etc/passwd", "//etc/passwd"]
)
@pytest.mark.parametrize("written", ["{}", "%2e%2e"])
def test_files_outside_are_not_served(site: TestClient, path: str, written: str) -> None:
    reply = site.get(path.replace("..", written) if written != "{}" else path)
    clear(reply, path)
    assert reply.status_code == 404


@pytest.fixture(scope="module")
def port(site: TestClient, settings: Settings, service: Service) -> Iterator[int]:
    """The service on a real socket, as `jiesu serve` runs it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        protocol = protocol_of(settings, service.metrics)
        config = uvicorn.Config(
            site.app, http=protocol, log_config=None, access_log=False, server_header=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


POST = b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\n"
FLOODS = {
    "one header": (POST + b"x: ", b"y" * MIB, 431),
    "headers": (POST, b"x-a: b\r\n" * 100_000, 431),
    "address": (b"POST /", b"y" * MIB, 414),
    "declared body": (POST + b"content-length: 104857600\r\n\r\n", b"x" * MIB, 413),
    "chunked body": (POST + b"transfer-encoding: chunked\r\n\r\n", b"100000\r\n" + b"x" * MIB + b"\r\n", 413),
}


@pytest.mark.parametrize("kind", list(FLOODS))
def test_floods_are_told_that_they_are_too_much(port: int, kind: str) -> None:
    first, piece, status = FLOODS[kind]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):
            connection.sendall(first)
            for _ in range(100):
                connection.sendall(piece)
        reply = connection.recv(MIB)
    assert reply.startswith(b"HTTP/1.1 %d" % status)
    assert all(name + b": " in reply for name, _ in SAFE)


def test_slow_clients_keep_nobody_waiting(port: int) -> None:
    slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.sendall(POST + (b"content-length: 100\r\n\r\n" if number % 2 else b"x-"))
    begun = time.perf_counter()
    body = '{"petitions":[{"id":"1","text":"路灯不亮"}]}'.encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(POST + b"content-length: %d\r\n\r\n" % len(body) + body)
        assert connection.recv(MIB).startswith(b"HTTP/1.1 200")
    assert time.perf_counter() - begun < 5
    for connection in slow:
        connection.close()
