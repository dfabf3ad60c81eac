"""The counters in the store, as the library `limits` wants them."""

from __future__ import annotations

import asyncio
import time

import pytest
from limits import parse
from limits.aio.strategies import FixedWindowRateLimiter

from serving.access.rates import Rates
from serving.journal.journal import Journal
from serving.store.engine import StoreDown


def test_the_storage_serves_the_librarys_own_strategy(journal: Journal) -> None:
    rates = Rates(journal)
    limiter, item = FixedWindowRateLimiter(rates), parse("3/minute")

    async def scene() -> None:
        assert await rates.check()
        assert [await limiter.hit(item, "k") for _ in range(5)] == [True, True, True, False, False]
        assert not await limiter.test(item, "k")
        stats = await limiter.get_window_stats(item, "k")
        assert stats.remaining == 0
        assert 58 < stats.reset_time - time.time() <= 60
        await limiter.clear(item, "k")
        assert await limiter.hit(item, "k")
        assert await rates.get("nobody") == 0
        assert await rates.get_expiry("nobody") == pytest.approx(time.time(), abs=2)
        assert await rates.reset() == 1
        assert await rates.get(item.key_for("k")) == 0

    asyncio.run(scene())


def test_a_window_that_is_over_counts_from_the_beginning(journal: Journal) -> None:
    now = [1000.0]
    rates = Rates(journal, clock=lambda: now[0])

    async def scene() -> None:
        assert await rates.take("k", 60, 5) == (5, 1060.0)
        now[0] = 1059.999
        assert await rates.take("k", 60, 2) == (7, 1060.0)
        now[0] = 1060.0
        assert await rates.get("k") == 0
        assert await rates.take("k", 60, 3) == (3, 1120.0)
        now[0] = 10.0  # the clock was set back: the window would last longer than a window can
        assert await rates.take("k", 60, 1) == (1, 70.0)

    asyncio.run(scene())


def test_counts_of_many_at_once_are_all_different(journal: Journal) -> None:
    async def scene() -> list[int]:
        return await asyncio.gather(*(Rates(journal).incr("k", 60) for _ in range(60)))

    assert sorted(asyncio.run(scene())) == list(range(1, 61))


def test_a_database_that_is_away_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> object:
        raise StoreDown(reason="gone")

    monkeypatch.setattr(journal, "read", away)
    assert not asyncio.run(Rates(journal).check())
