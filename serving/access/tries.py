"""Tries: how often an address may try to sign in. Success does not count: offices share one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from math import ceil

from serving.access.limits import Limiter, TooMany
from serving.store.engine import StoreDown

RATE = "10/minute"


class TooManyTries(TooMany):
    """登录试得太多，请在 {retry} 秒后再试"""


class Tries:
    """Lets addresses try, ten a minute, all instances together."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    @asynccontextmanager
    async def one(self, address: str) -> AsyncIterator[None]:
        """A try, which counts if the body refuses it; raises `TooManyTries` instead of letting it begin."""
        name = f"signin:{network(address)}"
        wait = await self._limiter.hit(name, RATE)
        if wait > 0:
            raise TooManyTries(retry=ceil(wait))
        try:
            yield
        except StoreDown:  # nobody's guess
            self._limiter.give_back(name, RATE)
            raise
        self._limiter.give_back(name, RATE)


def network(address: str) -> str:
    """What counts as one address: of IPv6 the 64 bits that a household or an office gets, for it holds all the rest."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    if mapped or not isinstance(found, IPv6Address):
        return str(mapped or found)
    return str(IPv6Address(int(found) >> 64 << 64))
