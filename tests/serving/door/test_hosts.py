"""Hosts: no name of somebody else's leads in here."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from serving.door.hosts import Hosts, name_of
from serving.metrics import Metrics


def client(*named: str) -> tuple[TestClient, Metrics]:
    app, metrics = FastAPI(), Metrics("test")
    app.add_middleware(Hosts, named=named, metrics=metrics)

    @app.get("/healthz")
    @app.get("/page")
    async def page() -> str:
        return "x"

    @app.websocket("/speak")
    async def speak(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("x")

    return TestClient(app), metrics


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:8000", True), ("localhost:8000", True), ("[::1]:8000", True), ("desk.localhost", True),
        ("10.1.2.3", True), ("hotline", True), ("evil.example", False), ("evil.example:8000", False),
        ("evil.example.", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False),
        ("", False), ("@evil.example", False), ("127.0.0.1@evil.example", False),
    ],
)  # fmt: skip
def test_without_a_list_no_name_that_somebody_could_own_is_answered(host: str, is_ours: bool) -> None:
    assert client()[0].get("/page", headers={"host": host}).status_code == (200 if is_ours else 421)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("jiesu.city.example", True), ("JIESU.city.example:443", True), ("jiesu.city.example.", True),
        ("xjiesu.city.example", False), ("city.example", False), ("127.0.0.1", False), ("localhost", False),
    ],
)  # fmt: skip
def test_with_a_list_that_alone_counts(host: str, is_ours: bool) -> None:
    assert client("jiesu.city.example")[0].get("/page", headers={"host": host}).status_code == (200 if is_ours else 421)


def test_a_refusal_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    opened, metrics = client()
    reply = opened.get("/page", headers={"host": "evil.example"})
    assert reply.json()["detail"] == "这里不是请求所要的那个主机"
    assert 'jiesu_refused_total{reason="host"} 1.0' in metrics.page().decode()
    assert opened.get("/healthz", headers={"host": "evil.example"}).status_code == 200  # whoever looks after it


def test_two_hosts_are_none() -> None:
    headers = [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]
    assert client()[0].get("/page", headers=headers).status_code == 421  # type: ignore[arg-type]


def test_nobody_speaks_from_elsewhere() -> None:
    opened, _ = client()
    with opened.websocket_connect("/speak", headers={"host": "127.0.0.1"}) as socket:
        assert socket.receive_text() == "x"
    with pytest.raises(WebSocketDisconnect), opened.websocket_connect("/speak", headers={"host": "evil.example"}):
        pass


def test_names() -> None:
    assert [name_of(host) for host in ("[::1]:80", "[::1]", "A.B:1", "a.", "")] == ["::1", "::1", "a.b", "a", ""]
