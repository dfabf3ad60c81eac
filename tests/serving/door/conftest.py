"""A small service behind the door, on a real socket."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from serving import problems
from serving.door.body import BrokenOff, body_of
from serving.door.protocol import BoundedProtocol
from serving.door.reading import Limits

MIB = 1024 * 1024
QUICK = Limits(head_seconds=0.5, body_seconds=0.6, body_rate=4000, linger=0.4, connections=60)


def small_app() -> FastAPI:
    """Answers with what it was sent: its size, its headers."""
    app = FastAPI(openapi_url=None)
    app.state.seen = []
    problems.install(app)

    @app.post("/size")
    async def size(request: Request) -> dict[str, object]:
        try:
            body = await body_of(request, MIB)
        except BrokenOff:
            app.state.seen.append("broken off")
            raise
        return {"size": len(body), "headers": [name.decode() for name, _ in request.headers.raw]}

    @app.get("/page/{name}")
    async def page(name: str, wait: float = 0) -> dict[str, str]:
        await asyncio.sleep(wait)
        return {"name": name}

    @app.get("/large")
    async def large() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                for _ in range(64):
                    yield b"x" * MIB
            finally:
                app.state.seen.append("large ended")

        return StreamingResponse(parts())

    @app.websocket("/socket")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    return app


@dataclass
class Client:
    """One raw connection."""

    socket: socket.socket
    received: bytes = b""
    begun: float = field(default_factory=time.perf_counter)

    def send(self, data: bytes) -> bool:
        """Whether the server still took it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        try:
            while part := self.socket.recv(MIB):
                self.received += part
        except ConnectionError:
            pass
        return self.received

    def one(self) -> bytes:
        """The next piece that comes."""
        return self.socket.recv(MIB)


@dataclass
class Site:
    """A server and its address."""

    app: FastAPI
    port: int
    server: uvicorn.Server
    limits: Limits
    open: list[socket.socket] = field(default_factory=list)

    def connect(self, first: bytes = b"") -> Client:
        """A new connection, with something said on it already."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        self.open.append(connection)
        if first:
            connection.sendall(first)
        return Client(connection)

    def ask(self, request: bytes) -> bytes:
        """All that comes back for something sent on a new connection, until the server closes it."""
        return self.connect(request).rest()

    def answers(self) -> bool:
        """Whether somebody else is answered, at once."""
        begun = time.perf_counter()
        reply = self.ask(b"GET /page/other HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        return b'{"name":"other"}' in reply and time.perf_counter() - begun < 2


@contextmanager
def serving(app: FastAPI, limits: Limits) -> Iterator[Site]:
    class Quick(BoundedProtocol):
        pass

    Quick.limits = limits
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Quick, log_config=None, access_log=False, server_header=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        site = Site(app, listener.getsockname()[1], server, limits)
        while not server.started:
            time.sleep(0.005)
        try:
            yield site
        finally:
            for connection in site.open:
                connection.close()
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def small() -> Callable[[], FastAPI]:
    return small_app


@pytest.fixture(scope="session")
def serve() -> Callable[[FastAPI, Limits], AbstractContextManager[Site]]:
    return serving


@pytest.fixture(scope="session")
def shared() -> Iterator[Site]:
    with serving(small_app(), QUICK) as site:
        yield site


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """The shared server; each test leaves it without connections."""
    shared.app.state.seen.clear()
    yield shared
    for connection in shared.open:
        connection.close()
    shared.open.clear()
    until = time.monotonic() + 3
    while shared.server.server_state.connections and time.monotonic() < until:
        time.sleep(0.005)
    assert not shared.server.server_state.connections
