"""Spans: any set of numbers, there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.audit.spans import Spans

NUMBERS = st.sets(st.integers(1, 60))


@given(NUMBERS)
def test_there_and_back(numbers: set[int]) -> None:
    written = str(Spans.of(numbers))
    again = Spans.read(written, 100)
    assert {number for number in range(101) if number in again} == numbers
    assert str(again) == written


@given(st.lists(NUMBERS), st.integers(1, 70))
def test_union_and_limit(several: list[set[int]], below: int) -> None:
    union = Spans.union(Spans.read(str(Spans.of(numbers)), below) for numbers in several)
    wanted = {number for numbers in several for number in numbers if number < below}
    assert {number for number in range(101) if number in union} == wanted


@given(st.text())
def test_anything_can_be_read(written: str) -> None:
    assert 100 not in Spans.read(written, 100)


def test_a_span_of_any_length_takes_no_room() -> None:
    spans = Spans.read("1-999999999999999999,5,x,7-3", 10**18)
    assert len(spans.starts) == 1
    assert 10**17 in spans


def test_few_words() -> None:
    assert str(Spans.of([9, 10, 5, 12, 11])) == "5,9-12"
    assert str(Spans()) == ""
