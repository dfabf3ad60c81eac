"""The whole door: what every answer has, in which order the parts stand, and what they cost in memory."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient

from serving import problems
from serving.door.doors import guarded, protocol_of
from serving.door.tracing import Traced
from serving.metrics import Metrics
from serving.settings import Settings

MIB = 1024 * 1024
PAGE = "https://desk.example"


class Queue:
    depth = 0


def app_of(settings: Settings, queue: Queue | None = None) -> FastAPI:
    app = FastAPI()
    problems.install(app)
    guarded(app, settings, queue or Queue(), Metrics("m"))

    @app.get("/fine")
    @app.post("/fine")
    async def fine() -> str:
        return "x"

    @app.get("/broken")
    async def broken() -> str:
        raise KeyError("我叫欧阳建华")

    @app.websocket("/socket")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    return app


@pytest.mark.parametrize(
    ("path", "depth", "status"), [("/fine", 0, 200), ("/no", 0, 404), ("/broken", 0, 500), ("/fine", 9999, 503)]
)
def test_every_answer_has_its_id_and_its_headers(path: str, depth: int, status: int) -> None:
    queue = Queue()
    queue.depth = depth
    with TestClient(app_of(Settings(insecure=True, cors_origins=[PAGE]), queue)) as client:
        reply = client.request("POST" if depth else "GET", path, headers={"origin": PAGE, "x-request-id": "a1"})
    assert reply.status_code == status
    assert reply.headers["x-request-id"] == "a1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["access-control-allow-origin"] == PAGE
    if status != 200:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["status"] == status
        assert "欧阳" not in reply.text


def test_websockets_pass() -> None:
    client = TestClient(app_of(Settings(insecure=True)))
    with client.websocket_connect("/socket") as connection:
        connection.send_text("在")
        assert connection.receive_text() == "在"


def test_by_default_no_page_of_another_origin_may_ask() -> None:
    client = TestClient(app_of(Settings(insecure=True)))
    preflight = {"origin": PAGE, "access-control-request-method": "POST"}
    for reply in (client.get("/fine", headers={"origin": PAGE}), client.options("/fine", headers=preflight)):
        assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize(("origins", "allowed"), [([PAGE], False), (["https://other.example"], True), (["*"], True)])
def test_only_the_origins_of_the_settings_may_ask_and_never_with_cookies(origins: list[str], allowed: bool) -> None:
    client = TestClient(app_of(Settings(insecure=True, cors_origins=origins)))
    headers = {
        "origin": "https://other.example", "access-control-request-method": "POST",
        "access-control-request-headers": "x-api-key,content-type",
    }  # fmt: skip
    reply = client.options("/fine", headers=headers)
    assert (reply.status_code == 200) is allowed
    assert ("access-control-allow-origin" in reply.headers) is allowed
    assert "access-control-allow-credentials" not in reply.headers


def test_spans_are_made_only_where_a_collector_is_named() -> None:
    def kinds(app: FastAPI) -> list[object]:
        return [middleware.cls for middleware in app.user_middleware]

    assert Traced not in kinds(app_of(Settings(insecure=True)))
    assert Traced in kinds(app_of(Settings(insecure=True, otel_endpoint="http://127.0.0.1:9")))


def test_the_protocol_takes_its_time_from_the_settings() -> None:
    metrics = Metrics("m")
    protocol = protocol_of(Settings(insecure=True, request_seconds=7), metrics)
    assert protocol.limits.body_seconds == 7
    assert protocol.metrics is metrics


SERVER = """
import socket, sys, uvicorn
from fastapi import FastAPI, Request
from serving import problems
from serving.door.body import body_of
from serving.door.doors import guarded, protocol_of
from serving.metrics import Metrics
from serving.settings import Settings

class Queue:
    depth = 0

app = FastAPI()
problems.install(app)
settings, metrics = Settings(insecure=True), Metrics("m")
guarded(app, settings, Queue(), metrics)

@app.post("/size")
async def size(request: Request) -> int:
    return len(await body_of(request, 1024 * 1024))

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, http=protocol_of(settings, metrics), log_config=None, access_log=False)
uvicorn.Server(config).run(sockets=[listener])
"""


@pytest.fixture
def process() -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and its id."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        yield int(server.stdout.readline()), server.pid
        server.terminate()


def peak(pid: int) -> int:
    """The most memory that a process has held, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024


def pour(port: int, first: bytes, piece: bytes, times: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):
            connection.sendall(first)
            for _ in range(times):
                connection.sendall(piece)
        with suppress(ConnectionError):
            return connection.recv(MIB)
    return b""


def test_floods_cost_no_memory(process: tuple[int, int]) -> None:
    port, pid = process
    post = b"POST /size HTTP/1.1\r\nhost: x\r\n"
    chunked = post + b"transfer-encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"
    assert b" 200 " in pour(port, chunked, b"5\r\nabcde\r\n0\r\n\r\n", 1)
    before = peak(pid)
    floods = {
        "declared": (post + b"content-length: 104857600\r\n\r\n", b"x" * MIB, 413),
        "chunked": (chunked, chunk, 413),
        "header": (post + b"x: ", b"y" * MIB, 431),
        "headers": (post, b"x-a: b\r\n" * 100_000, 431),
        "trailer": (chunked + b"0\r\nx: ", b"y" * MIB, 431),
    }
    for name, (first, piece, status) in floods.items():
        assert f" {status} ".encode() in pour(port, first, piece, 100)[:20], name
    assert peak(pid) - before < 24
