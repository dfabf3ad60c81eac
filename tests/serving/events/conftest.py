"""What the tests of events share: a receiver that listens, a clock that is set by hand, a sender that runs until."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from serving.events.lane import Pace
from serving.events.outbox import Outbox
from serving.events.post import Post, Resolve
from serving.events.reach import resolve as usual
from serving.events.sender import Sender
from serving.events.targets import Target, Targets
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.metrics import Metrics
from serving.store.tables import deliveries

SECRET = "whsec_" + "YWJj" * 8
NOW = datetime(2026, 11, 23, 1, 12, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a receiver answers: after a wait that its end cuts short, or never."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False
    hangs: bool = False


class Receiver:
    """A real HTTP server in a thread, which remembers what came and answers what it was told to, at last 204."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: deque[Answer] = deque()
        self.usually = Answer()
        self.closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout: ClassVar[float] = 5

            def do_POST(self) -> None:
                receiver.answer(self)

            do_GET = do_POST  # noqa: N815 - as http.server names it

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass  # the other side hung up: part of what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.got.append(Got(handler.path, headers, body))
        answer = self.answers.popleft() if self.answers else self.usually
        if answer.hangs:
            self.closed.wait(20)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if not answer.endless:
            handler.send_header("content-length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)
            return
        handler.close_connection = True
        handler.end_headers()
        while not self.closed.wait(0.01):
            handler.wfile.write(answer.body)

    def close(self) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def jump(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def other() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def target(url: str, name: str = "值班系统", types: tuple[str, ...] = ("*",)) -> Target:
    return Target(name=name, url=url, secret=SECRET, types=types)


def here(*targets: Target) -> Targets:
    """Targets that may be on this machine."""
    return Targets(allow=("127.0.0.1",), target=targets)


def noted(
    journal: Journal,
    targets: Targets,
    kind: str,
    subject: str,
    data: bytes,
    clock: Clock | None = None,
    *,
    count: int = 1,
) -> None:
    """Note an event, or several of which each has one more space in its data, as the service does."""
    outbox = Outbox(targets.target, targets.source, clock or Clock())

    def write(unit: Unit) -> None:
        for number in range(count):
            outbox.put(unit, kind, subject, data + b" " * number)

    journal.write_now(write)


def states(journal: Journal) -> list[dict[str, Any]]:
    """The deliveries in the store, target by target."""
    query = select(deliveries).order_by(deliveries.c.target, deliveries.c.event)
    return journal.read(lambda store: [dict(row) for row in store.execute(query).mappings()])


@dataclass
class Run:
    """A sender at work until something is so; the test fails where it never is."""

    journal: Journal
    clock: Callable[[], datetime]
    metrics: Metrics = field(default_factory=lambda: Metrics("test"))
    patience: float = 5.0
    resolve: Resolve = usual

    def until(self, targets: Targets, done: Callable[[], bool], *, wait: float = 5.0) -> None:
        asyncio.run(self.working(targets, done, wait))

    async def working(self, targets: Targets, done: Callable[[], bool], wait: float = 5.0) -> None:
        end = time.monotonic() + wait
        async with self.sender(targets).running():
            while not await asyncio.to_thread(done):
                assert time.monotonic() < end, "it never came to that"
                await asyncio.sleep(0.01)

    def sender(self, targets: Targets) -> Sender:
        post = Post(targets, self.resolve, self.patience)
        return Sender(self.journal, targets, self.clock, post, self.metrics, Pace(poll=0.03, count=0.05))


@pytest.fixture
def sending(journal: Journal, clock: Clock) -> Run:
    return Run(journal, clock)
