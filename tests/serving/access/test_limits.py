"""Limits: what all instances let in within a window never passes them, and all of it can be used."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from nlp.errors import InputError
from serving.access.limits import MOST_WINDOWS, Limiter, TooDear, parsed
from serving.access.rates import Rates
from serving.journal.journal import Journal

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def counted(journal: Journal) -> Iterator[list[str]]:
    """The statements that go to the database."""
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    event.listen(journal.engine, "after_cursor_execute", note)
    yield statements
    event.remove(journal.engine, "after_cursor_execute", note)


def let_in(limiter: Limiter, rate: str, tries: int, key: str = "k", cost: int = 1) -> int:
    """How many of some requests come in, a hundred at once."""

    async def scene(some: int) -> list[float]:
        return await asyncio.gather(*(limiter.hit(key, rate, cost) for _ in range(some)))

    return sum(asyncio.run(scene(min(100, tries - done))).count(0.0) for done in range(0, tries, 100))


def test_a_limit_is_reached_exactly_and_begins_anew(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    assert let_in(limiter, "60/minute", 150) == 60
    clock.now += 59.5
    assert asyncio.run(limiter.hit("k", "60/minute")) == pytest.approx(0.5)
    assert let_in(limiter, "60/minute", 10, key="another") == 10
    clock.now += 0.5
    assert let_in(limiter, "60/minute", 150) == 60


def test_two_instances_share_a_limit(journal: Journal, clock: Clock) -> None:
    one, other = Limiter(Rates(journal, clock)), Limiter(Rates(journal, clock))
    total = 0
    for _ in range(100):
        total += let_in(one, "100/minute", 1) + let_in(other, "100/minute", 3)
    assert total == 100


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=st.integers(1, 300),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 15), st.integers(1, 4), st.sampled_from([0, 0, 0, 1.5, 30, 61])),
        max_size=15,
    ),
)
def test_no_window_lets_in_more_than_its_limit(
    journal: Journal, amount: int, steps: list[tuple[int, int, int, float]]
) -> None:
    clock = Clock()
    asyncio.run(Rates(journal, clock).reset())
    limiters = [Limiter(Rates(journal, clock)) for _ in range(3)]
    begun, spent = 0.0, 0
    for instance, tries, cost, wait in steps:
        clock.now += wait
        if cost > amount:
            continue
        if clock.now >= begun + 60:
            begun, spent = clock.now, 0  # the first count opens the window
        came = let_in(limiters[instance], f"{amount}/minute", tries, cost=cost)
        spent += came * cost
        assert spent <= amount
        if came < tries:  # what is left lies in slices: of the others, and less than a request's cost here
            assert spent + 3 * max(amount // 50, 4) + cost >= amount


def test_several_limits_hold_together(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    rate = "10/second;25/minute"
    assert let_in(limiter, rate, 40) == 10
    clock.now += 1
    assert let_in(limiter, rate, 40) == 10
    clock.now += 1
    assert let_in(limiter, rate, 40) == 5
    assert asyncio.run(limiter.hit("k", rate)) == pytest.approx(58)


def test_a_request_may_cost_more(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    assert let_in(limiter, "100/minute", 5, cost=30) == 3
    assert let_in(limiter, "100/minute", 20) == 10  # what the dear ones left
    with pytest.raises(TooDear, match="101"):
        asyncio.run(limiter.hit("k", "100/minute", 101))
    assert asyncio.run(limiter.hit("k", "100/minute", 0)) == 0.0


def test_the_database_is_asked_for_slices_not_for_requests(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    with counted(journal) as statements:
        assert let_in(limiter, "5000/minute", 4000) == 4000
        upserts = [statement for statement in statements if "INSERT" in statement]
        assert len(upserts) == 40
        let_in(limiter, "5000/minute", 1000)
        statements.clear()
        assert let_in(limiter, "5000/minute", 1000) == 0  # once used up, refusing costs nothing
        assert not statements


def test_no_rate_means_no_limit_and_no_database(journal: Journal) -> None:
    with counted(journal) as statements:
        assert let_in(Limiter(Rates(journal)), "", 1000) == 1000
        assert not statements


def test_a_clock_that_was_set_back_locks_nobody_out(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    assert let_in(limiter, "10/minute", 20) == 10
    clock.now -= 86_400
    assert let_in(limiter, "10/minute", 20) == 10
    assert let_in(Limiter(Rates(journal, clock)), "10/minute", 20) == 0


def test_a_slice_that_was_not_spent_ends_with_its_window(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    assert let_in(limiter, "500/minute", 1) == 1  # nine are left in its slice
    clock.now += 60
    other = Limiter(Rates(journal, clock))
    assert let_in(other, "500/minute", 600) == 500
    assert let_in(limiter, "500/minute", 20) == 0


def test_a_process_remembers_a_bounded_number_of_keys(journal: Journal, clock: Clock) -> None:
    limiter = Limiter(Rates(journal, clock))
    for number in range(MOST_WINDOWS + 50):
        limiter._of(f"k{number}", "10/minute")
    assert len(limiter._windows) == MOST_WINDOWS


@pytest.mark.parametrize(
    "rate",
    ["many", "600", "600/fortnight", "0/minute", "-1/minute", "600/minute;", "9" * 30 + "/minute",
     "5/minute;" * 20 + "5/minute", "５/minute/", "\0"],
)  # fmt: skip
def test_a_rate_that_cannot_be_is_refused(rate: str) -> None:
    with pytest.raises(InputError):
        parsed(rate)


def test_rates_are_read() -> None:
    assert [(item.amount, item.get_expiry()) for item in parsed("600/minute;20000/2 day")] == [
        (600, 60),
        (20_000, 172_800),
    ]
    assert parsed("") == ()


CHILD = """
import asyncio, sys
from serving.access.limits import Limiter
from serving.access.rates import Rates
from serving.audit.chain import Chain
from serving.journal.journal import Journal
from serving.store.engine import open_engine

async def scene(limiter):
    came, refused = 0, 0
    while refused < 20:
        answers = await asyncio.gather(*(limiter.hit("k", "1000/day") for _ in range(8)))
        came += answers.count(0.0)
        refused += len(answers) - answers.count(0.0)
        await asyncio.sleep(0)
    return came

journal = Journal(open_engine(sys.argv[1]), Chain(b"x" * 32))
print("ready", flush=True)
sys.stdin.readline()
print(asyncio.run(scene(Limiter(Rates(journal)))))
journal.close()
"""


def test_two_processes_share_a_limit(store_url: str, journal: Journal) -> None:
    command = [sys.executable, "-c", CHILD, store_url]
    children = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    came = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(came) == 1000
    assert min(came) > 0
