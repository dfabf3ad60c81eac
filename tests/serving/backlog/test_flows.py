"""Flows come to the same in any order, also where they are too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.backlog.flows import OVERFLOW, Flows, add, bound, numbers, total

PAIRS = st.lists(st.tuples(st.sampled_from("甲乙丙丁戊己庚辛"), st.sampled_from("abc")), max_size=40)


@given(PAIRS, st.randoms(use_true_random=False), st.integers(1, 9))
def test_the_order_and_the_parts_do_not_matter(pairs: list[tuple[str, str]], random: object, size: int) -> None:
    whole: Flows = {}
    for pair in pairs:
        numbers(whole, *pair)[0] += 1
    bound(whole, 3)
    shuffled = sorted(pairs, key=lambda _: random.random())  # type: ignore[attr-defined]
    parted: Flows = {}
    for start in range(0, len(shuffled), size):
        part: Flows = {}
        for pair in shuffled[start : start + size]:
            numbers(part, *pair)[0] += 1
        bound(part, 3)
        add(parted, part)
        bound(parted, 3)
    assert parted == whole
    assert total(parted) == len(pairs)
    assert len(parted) <= 3 + (OVERFLOW in parted)


def test_adding_leaves_what_is_added_alone() -> None:
    first: Flows = {"甲": {"a": [1, 2]}}
    both: Flows = {}
    add(both, first)
    add(both, first)
    assert both == {"甲": {"a": [2, 4]}}
    assert first == {"甲": {"a": [1, 2]}}
