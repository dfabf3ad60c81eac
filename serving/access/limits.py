"""Rate limits: how often a key may ask. A process takes slices from the shared counter and spends them by itself, for a
statement a request would be too dear.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

from limits import RateLimitItem, parse_many

from nlp.errors import InputError, JiesuError
from serving.access.rates import Rates
from serving.store.engine import StoreDown

PARTS = 50  # a process takes a 50th of a limit at a time
MOST_WINDOWS = 10_000  # that a process remembers
LONGEST, HIGHEST = 64, 100_000_000  # what the columns `keys.rate` and `rates.count` hold


class TooMany(JiesuError):
    """请求太多，请在 {retry} 秒后再试"""


class TooDear(InputError):
    """这一次请求算 {cost} 次，超过密钥的限额 {rate}，请分成几次发"""


@lru_cache(maxsize=1024)
def parsed(rate: str) -> tuple[RateLimitItem, ...]:
    """The limits in a text like `600/minute;20000/day`, none where it is empty; raises `InputError`."""
    try:
        items = tuple(parse_many(rate)) if rate else ()
    except ValueError as error:
        raise InputError(place=f"限额 {rate}", reason="须写成 600/minute 或 600/minute;20000/day") from error
    if len(rate) > LONGEST or any(not 0 < item.amount <= HIGHEST or item.get_expiry() <= 0 for item in items):
        reason = f"次数须在 1–{HIGHEST} 之间，全文不超过 {LONGEST} 个字符"
        raise InputError(place=f"限额 {rate[:LONGEST]}", reason=reason)
    return items


@dataclass(slots=True)
class _Window:
    """What this process holds of a limit: how many it may let in until when, and whether there is more to be had."""

    item: RateLimitItem
    name: str
    left: int = 0
    until: float = 0.0
    used_up: bool = False
    filling: asyncio.Future[None] | None = None

    def lasts(self, now: float) -> bool:
        """Whether the window is the present one."""
        return now < self.until <= now + self.item.get_expiry()

    def holds(self, cost: int, now: float) -> bool:
        """Whether it can let somebody in."""
        return self.lasts(now) and self.left >= cost

    async def fill(self, rates: Rates, cost: int) -> None:
        """Take a slice from the shared counter, or wait for whoever is at it. Raises `StoreDown`."""
        if self.filling is not None:
            await asyncio.shield(self.filling)
            return
        done = self.filling = asyncio.get_running_loop().create_future()
        try:
            await self._take(rates, max(self.item.amount // PARTS, cost, 1))
        except StoreDown as error:
            done.set_exception(error)
            done.exception()  # whether somebody else waits for it or not
            raise
        finally:
            self.filling = None
            if not done.done():
                done.set_result(None)

    async def _take(self, rates: Rates, part: int) -> None:
        """Add a slice, the last of which is smaller, to what is left of an earlier one of the same window."""
        count, until = await rates.take(self.name, self.item.get_expiry(), part)
        granted = max(0, min(part, self.item.amount - (count - part)))
        self.left = granted + (self.left if until == self.until else 0)
        self.until, self.used_up = until, count >= self.item.amount


class Limiter:
    """Lets keys in as often as they may.

    What all instances let in within a window never passes the limit. What a process took and did not spend is lost
    with its window, so that each further process may leave up to a 50th of a limit unused.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._windows: OrderedDict[tuple[str, str], list[_Window]] = OrderedDict()

    async def hit(self, key: str, rate: str, cost: int = 1) -> float:
        """Let a key in: 0, or the seconds that it has to wait. Raises `TooDear`, `StoreDown`."""
        if not rate or cost <= 0:
            return 0.0
        windows = self._of(key, rate)
        if any(cost > window.item.amount for window in windows):
            raise TooDear(cost=cost, rate=rate)
        while True:
            now = self._rates.clock()
            short = next((window for window in windows if not window.holds(cost, now)), None)
            if short is None:
                for window in windows:
                    window.left -= cost
                return 0.0
            if short.lasts(now) and short.used_up:
                return short.until - now
            await short.fill(self._rates, cost)

    def give_back(self, key: str, rate: str, cost: int = 1) -> None:
        """Take a hit back that is not to count; this process may spend it again until its window ends."""
        for window in self._of(key, rate):
            window.left += cost

    def _of(self, key: str, rate: str) -> list[_Window]:
        found = self._windows.get((key, rate))
        if found is None:
            found = [_Window(item, item.key_for(key)) for item in parsed(rate)]
            self._windows[key, rate] = found
            if len(self._windows) > MOST_WINDOWS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end((key, rate))
        return found
