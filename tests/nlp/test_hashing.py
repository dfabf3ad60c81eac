"""Hashing: equal stretches, equal hashes; a table that answers as a dict does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.hashing import Hashes, Table, keys_of
from nlp.text import code_points

numbers = st.one_of(st.integers(1, 2**64 - 1), st.integers(1, 40))


@given(st.text(), st.text(), st.text())
def test_equal_strings_have_equal_hashes_wherever_they_stand(before: str, string: str, after: str) -> None:
    hashes = Hashes(code_points(before + string + after))
    start, end = np.array([len(before)]), np.array([len(before) + len(string)])
    assert hashes.stretches(start, end)[0] == keys_of([string])[0]


@given(st.lists(st.text(min_size=1), unique=True, max_size=50))
def test_different_strings_have_different_hashes(strings: list[str]) -> None:
    assert len(set(keys_of(strings).tolist())) == len(strings)


def test_all_pairs_of_common_characters_have_different_hashes() -> None:
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 300)]
    pairs = [one + other for one in characters for other in characters]
    assert len(np.unique(keys_of(pairs))) == len(pairs)


@given(st.text(max_size=30), st.integers(1, 5))
def test_a_run_of_characters_is_hashed_as_a_stretch(text: str, size: int) -> None:
    hashes = Hashes(code_points(text))
    runs = [text[at : at + size] for at in range(len(text) - size + 1)]
    assert hashes.grams(size).tolist() == keys_of(runs).tolist()


def test_hashes_hold_in_a_buffer_longer_than_any_power_table() -> None:
    text = "漏" * 5000 + "水管爆裂"
    hashes = Hashes(code_points(text))
    assert hashes.stretches(np.array([5000]), np.array([5004]))[0] == keys_of(["水管爆裂"])[0]


@given(st.lists(numbers, unique=True, max_size=200), st.lists(numbers, max_size=50))
def test_a_table_answers_as_a_dict(keys: list[int], others: list[int]) -> None:
    known = {key: column for column, key in enumerate(keys)}
    asked = [*keys, *others, 0]
    answers = Table(np.array(keys, np.uint64)).columns(np.array(asked, np.uint64))
    assert answers.tolist() == [known.get(key, -1) for key in asked]


def test_keys_that_want_the_same_slot_are_all_found() -> None:
    step = pow(0x9E3779B97F4A7C15, -1, 2**64)
    keys = np.array([step * (2**64 - 1 - number) % 2**64 for number in range(50)], np.uint64)  # all in the last slot
    assert Table(keys).columns(keys).tolist() == list(range(50))
