"""The gate: who is sent away, who never is, and how soon it opens again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from serving.door.gate import SHED, Gate
from serving.door.load import LATE, TICK, Load
from serving.metrics import Metrics


class Queue:
    depth = 0


class Inner:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope.get("path", scope["type"]))
        await self.go.wait()
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})


class Asked:
    """One request at the gate."""

    def __init__(self, gate: Gate, path: str = "/v1/decisions", method: str = "POST", kind: str = "http") -> None:
        self.scope: dict[str, Any] = {"type": kind, "path": path, "method": method, "headers": []}
        self.sent: list[Message] = []
        self.task = asyncio.ensure_future(gate(self.scope, self.receive, self.send))

    async def receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"]) if self.sent else 0


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def counted(metrics: Metrics, reason: str) -> float:
    return metrics.registry.get_sample_value("jiesu_refused_total", {"reason": reason}) or 0.0


def test_one_more_than_can_be_in_work_is_sent_away_until_one_has_ended() -> None:
    async def scene() -> None:
        inner, metrics = Inner(), Metrics("m")
        gate = Gate(inner, Load(Queue()), metrics, most=2)
        inside = [Asked(gate), Asked(gate, method="GET")]
        await turns()
        for method in ("POST", "GET"):
            away = Asked(gate, method=method)
            await away.task
            assert away.status == 503
            assert (b"retry-after", b"1") in away.sent[0]["headers"]
            assert b"problem+json" in dict(away.sent[0]["headers"])[b"content-type"]
            assert away.scope["state"][SHED]
        assert counted(metrics, "busy") == 2
        inner.go.set()
        await asyncio.gather(*(one.task for one in inside))
        again = Asked(gate)
        await again.task
        assert again.status == 200

    asyncio.run(scene())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_an_overloaded_service_can_be_looked_at(path: str) -> None:
    async def scene() -> None:
        inner = Inner()
        inner.go.set()
        queue = Queue()
        queue.depth = 10_000
        asked = Asked(Gate(inner, Load(queue), Metrics("m"), most=0), path, "GET")
        await asked.task
        assert asked.status == 200

    asyncio.run(scene())


def test_a_long_queue_sends_away_what_would_write_and_is_forgotten_when_it_is_short() -> None:
    async def scene() -> None:
        inner, queue, metrics = Inner(), Queue(), Metrics("m")
        inner.go.set()
        gate = Gate(inner, Load(queue, most=10), metrics)
        statuses = []
        for depth, method in ((10, "POST"), (11, "POST"), (11, "GET"), (10, "POST")):
            queue.depth = depth
            asked = Asked(gate, method=method)
            await asked.task
            statuses.append(asked.status)
        assert statuses == [200, 503, 200, 200]
        assert counted(metrics, "queue") == 1

    asyncio.run(scene())


def test_more_than_can_be_answered_in_time_is_sent_away_and_a_sudden_crowd_is_not() -> None:
    async def scene() -> None:
        inner, metrics = Inner(), Metrics("m")
        load = Load(Queue(), few=4, wait=TICK)
        gate = Gate(inner, load, metrics)
        ticking = asyncio.ensure_future(load.ticking())
        crowd = [Asked(gate) for _ in range(40)]
        await turns()
        assert len(inner.seen) == 40  # nobody knows yet how fast they are answered
        while not counted(metrics, "pace"):  # one is answered now and then, the others wait
            load.answered(len(inner.seen))
            await asyncio.sleep(TICK / 2)
            crowd.append(Asked(gate))
            await turns()
        inner.go.set()
        await asyncio.gather(*(one.task for one in crowd))
        assert crowd[-1].status == 503
        again = Asked(gate)
        await again.task
        assert again.status == 200
        ticking.cancel()

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_a_websocket_is_not_begun_under_a_high_load_and_holds_no_place() -> None:
    async def scene() -> None:
        inner, queue = Inner(), Queue()
        gate = Gate(inner, Load(queue, most=10), Metrics("m"), most=1)
        held = [Asked(gate, kind="websocket") for _ in range(3)]
        inside = Asked(gate)
        await turns()
        assert len(inner.seen) == 4
        queue.depth = 11
        away = Asked(gate, kind="websocket")
        await away.task
        assert [message["type"] for message in away.sent] == ["websocket.close"]
        inner.go.set()
        await asyncio.gather(inside.task, *(one.task for one in held))

    asyncio.run(scene())


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    async def scene() -> None:
        gate = Gate(failing, Load(Queue()), Metrics("m"), most=1)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await Asked(gate).task

    asyncio.run(scene())


def test_the_loop_is_found_late_only_when_it_stays_late_and_in_time_at_the_next_tick() -> None:
    async def scene() -> None:
        load = Load(Queue(), lag=0.05, few=3)
        ticking = asyncio.create_task(load.ticking())
        await asyncio.sleep(0)
        time.sleep(TICK + 0.08)
        await turns()
        assert not load.high(4)
        for _ in range(LATE):
            time.sleep(TICK + 0.08)
            await turns()
        assert load.high(4) == "lag"
        assert not load.high(3)
        await until(lambda: not load.high(4))
        ticking.cancel()

    asyncio.run(scene())


def test_the_gate_measures_while_the_app_lives_and_no_longer() -> None:
    async def scene() -> None:
        inner = Inner()
        asked = Asked(Gate(inner, Load(Queue()), Metrics("m")), kind="lifespan")
        await turns()
        assert "load" in {task.get_name() for task in asyncio.all_tasks()}
        inner.go.set()
        await asked.task
        assert "load" not in {task.get_name() for task in asyncio.all_tasks()}

    asyncio.run(scene())


def test_many_that_are_sent_away_are_one_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        load = Load(Queue())
        gate = Gate(Inner(), load, Metrics("m"), most=0)
        ticking = asyncio.create_task(load.ticking())
        for _ in range(13):
            await asyncio.gather(*(Asked(gate).task for _ in range(50)))
            await asyncio.sleep(TICK)
        ticking.cancel()

    asyncio.run(scene())
    assert [record.getMessage() for record in caplog.records] == ["shed"]
    assert caplog.records[0].requests >= 50  # type: ignore[attr-defined]
