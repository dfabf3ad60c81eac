"""What many ask for at once is done once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from serving.access.single import Single


def test_many_waiters_share_one_call() -> None:
    calls: list[int] = []
    gate = threading.Event()

    def call() -> None:
        calls.append(1)
        gate.wait(5)

    async def scene() -> None:
        single = Single(call, "test")
        waiters = [asyncio.create_task(single.wait()) for _ in range(50)]
        await asyncio.sleep(0.01)
        assert single.busy
        waiters[0].cancel()  # a client that went away
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*waiters[1:])
        assert not single.busy
        await single.wait()

    asyncio.run(scene())
    assert len(calls) == 2


def test_all_waiters_hear_of_the_failure_and_the_next_call_is_made_anew() -> None:
    outcomes: list[Exception | None] = [OSError("away"), None]

    def call() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    async def scene() -> None:
        single = Single(call, "test")
        with pytest.raises(OSError, match="away"):
            await single.wait()
        await single.wait()

    asyncio.run(scene())
    assert not outcomes


def test_a_call_outlives_the_loop_that_began_it() -> None:
    gate = threading.Event()

    def call() -> None:
        gate.wait(5)

    single = Single(call, "test")

    async def gives_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(single.wait(), 0.01)

    asyncio.run(gives_up())
    gate.set()
    asyncio.run(single.wait())
