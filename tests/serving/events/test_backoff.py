"""Waits grow, are drawn by lot, and end within an hour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from serving.events.backoff import backoff, longest
from serving.events.lane import TRIES


@given(tries=some.integers(1, TRIES), share=some.floats(0, 1))
def test_each_wait_lies_between_nothing_and_the_longest(tries: int, share: float) -> None:
    wait = backoff(tries, lambda low, high: low + share * (high - low))
    assert 0 <= wait <= longest(tries) <= 3600
    assert 0 <= backoff(tries) <= longest(tries)


def test_the_longest_waits_grow_from_a_second_to_an_hour() -> None:
    assert [longest(tries) for tries in range(1, 9)] == [1, 4, 16, 64, 256, 1024, 3600, 3600]
