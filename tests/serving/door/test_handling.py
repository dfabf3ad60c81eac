"""A request ends in time, and with an answer."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from serving.door.handling import Cut, Handling
from serving.metrics import Metrics

SHORT = 0.1
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def handled(app: App, pieces: list[tuple[float, Message]] | None = None) -> list[Message]:
    """What an app answers to a body that comes in these pieces, each after some seconds."""
    left = pieces if pieces is not None else [(0.0, {"type": "http.request", "body": b"", "more_body": False})]
    sent: list[Message] = []

    async def receive() -> Message:
        wait, message = left.pop(0)
        await asyncio.sleep(wait)
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Handling(app, Metrics("m"), SHORT)({"type": "http"}, receive, send))
    return sent


def piece(wait: float, more: bool = True) -> tuple[float, Message]:
    return wait, {"type": "http.request", "body": b"x", "more_body": more}


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(10)


async def read(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send(dict(START))
    await send({"type": "http.response.body", "body": b"read"})


def problem(sent: list[Message]) -> dict[str, Any]:
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    told: dict[str, Any] = json.loads(sent[1]["body"])
    assert told["status"] == sent[0]["status"]
    return told


def test_what_is_not_done_in_time_is_told() -> None:
    assert problem(handled(hang))["status"] == 504


def test_a_body_that_stays_away_is_the_clients_fault() -> None:
    assert problem(handled(read, [piece(0), piece(10)]))["status"] == 408


def test_a_body_in_many_pieces_may_take_longer() -> None:
    sent = handled(read, [piece(SHORT / 2) for _ in range(5)] + [piece(SHORT / 2, more=False)])
    assert sent[1]["body"] == b"read"


def test_an_answer_in_many_pieces_may_take_longer() -> None:
    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send(dict(START))
        for number in range(6):
            await asyncio.sleep(SHORT / 2)
            await send({"type": "http.response.body", "body": b"x", "more_body": number < 5})

    assert len(handled(streaming)) == 7


def test_an_answer_that_stops_is_cut() -> None:
    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await send(dict(START))
        await asyncio.sleep(10)

    with pytest.raises(Cut):
        handled(stuck)


@pytest.mark.parametrize("error", [KeyError("我叫欧阳建华"), TimeoutError("我叫欧阳建华")])
def test_a_crash_is_an_answer_and_a_line_in_the_log(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    told = problem(handled(broken))
    assert told["status"] == 500
    assert "欧阳" not in json.dumps(told, ensure_ascii=False)
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.ERROR, "crashed")]


def test_a_crash_in_the_middle_of_an_answer_cuts_it() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send(dict(START))
        raise KeyError

    with pytest.raises(Cut):
        handled(broken)


def test_who_cancels_is_not_told_anything() -> None:
    async def scene() -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return piece(0, more=False)[1]

        task = asyncio.create_task(Handling(hang, Metrics("m"), 5)({"type": "http"}, receive, send))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sent == []

    asyncio.run(scene())
