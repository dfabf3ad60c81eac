"""Tries: guesses are few, and whoever knows their key is never kept waiting by them."""

from __future__ import annotations

import asyncio

import pytest

from nlp.errors import JiesuError
from serving.access.limits import Limiter
from serving.access.rates import Rates
from serving.access.tries import TooManyTries, Tries, network
from serving.journal.journal import Journal
from serving.store.engine import StoreDown


class Wrong(JiesuError):
    """wrong"""


def tried(tries: Tries, address: str, error: Exception | None = None) -> str:
    async def once() -> str:
        async with tries.one(address):
            if error:
                raise error
        return "ok"

    try:
        return asyncio.run(once())
    except JiesuError as told:
        return type(told).__name__


@pytest.fixture
def tries(journal: Journal) -> Tries:
    return Tries(Limiter(Rates(journal, clock=lambda: 1_800_000_000.0)))


def test_the_eleventh_guess_of_a_minute_is_not_looked_at(tries: Tries) -> None:
    assert [tried(tries, "10.0.0.1", Wrong()) for _ in range(12)] == ["Wrong"] * 10 + ["TooManyTries"] * 2
    assert tried(tries, "10.0.0.1") == "TooManyTries"
    assert tried(tries, "10.0.0.2") == "ok"


def test_a_whole_office_may_sign_in_from_one_address(tries: Tries) -> None:
    assert {tried(tries, "10.0.0.1") for _ in range(60)} == {"ok"}
    assert [tried(tries, "10.0.0.1", Wrong()) for _ in range(11)] == ["Wrong"] * 10 + ["TooManyTries"]


def test_what_is_nobodys_guess_does_not_count(tries: Tries) -> None:
    assert {tried(tries, "10.0.0.1", StoreDown(reason="x")) for _ in range(30)} == {"StoreDown"}


def test_two_processes_count_together(journal: Journal) -> None:
    two = [Tries(Limiter(Rates(journal, clock=lambda: 1_800_000_000.0))) for _ in range(2)]
    assert [tried(two[number % 2], "10.0.0.1", Wrong()) for number in range(12)].count("Wrong") == 10


def test_many_at_once_are_as_few(tries: Tries) -> None:
    looked_at = 0

    async def guess() -> None:
        nonlocal looked_at
        async with tries.one("10.0.0.1"):
            looked_at += 1
            await asyncio.sleep(0)
            raise Wrong

    async def all_of_them() -> list[BaseException | None]:
        return await asyncio.gather(*(guess() for _ in range(40)), return_exceptions=True)

    told = asyncio.run(all_of_them())
    assert looked_at == 10
    assert sum(isinstance(error, TooManyTries) for error in told) == 30


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"), ("", ""), ("testclient", "testclient"), ("x" * 500, "x" * 64),
    ],
)  # fmt: skip
def test_what_counts_as_one_address(address: str, one: str) -> None:
    assert network(address) == one
