"""The spotter finds what a naive search finds, in the same order, in whatever text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.spotter import Spotter
from nlp.text import code_points

LETTERS = "ab漏水\ud800\udfff\n\x00😀"  # few, so that words overlap and share their openings
words = st.lists(st.text(st.sampled_from(LETTERS), min_size=2, max_size=5), max_size=8, unique=True)
texts = st.text(st.sampled_from(LETTERS), max_size=40)
Hits = list[tuple[int, str, int]]


def spotted(chosen: list[str], text: str) -> Hits:
    spotter = Spotter({word: number for number, word in enumerate(chosen)})
    return list(spotter.find(code_points(text), text))


def searched(chosen: list[str], text: str) -> Hits:
    """Every word at every place, the longest first."""
    numbers = {word: number for number, word in enumerate(chosen)}
    longest = sorted(chosen, key=len, reverse=True)
    return [
        (start, word, numbers[word]) for start in range(len(text)) for word in longest if text.startswith(word, start)
    ]


@given(words, texts)
@example(["abb"], "aab")
@example(["ab", "abb", "abbb"], "abbb")
@example(["\ud800\udfff"], "a\ud800\udfffb")
def test_it_finds_what_a_naive_search_finds(chosen: list[str], text: str) -> None:
    assert spotted(chosen, text) == searched(chosen, text)


@given(words, st.text(st.sampled_from(LETTERS), max_size=2))
@example(["ab"], "ab")
def test_a_text_shorter_than_three_characters_is_searched_too(chosen: list[str], text: str) -> None:
    assert spotted(chosen, text) == searched(chosen, text)


@given(words, st.text(max_size=20), st.integers(0, 20))
def test_a_word_is_found_wherever_it_stands(chosen: list[str], around: str, place: int) -> None:
    for word in chosen:
        text = f"{around[:place]}{word}{around[place:]}..."
        assert (min(place, len(around)), word) in [(start, found) for start, found, _ in spotted(chosen, text)]


@pytest.mark.parametrize("text", ["", "a", "ab", "漏水漏水", "\ud800"])
def test_without_words_nothing_is_found(text: str) -> None:
    assert not Spotter({})
    assert spotted([], text) == []


def test_it_holds_where_it_has_words() -> None:
    assert Spotter({"漏水": None})


@given(words, texts)
def test_every_word_begins_at_one_of_its_places(chosen: list[str], text: str) -> None:
    places = Spotter(dict.fromkeys(chosen)).places(code_points(text + "..."))
    assert {start for start, _, _ in searched(chosen, text)} <= set(places.tolist())
    assert (np.diff(places) > 0).all()


def test_the_last_characters_of_a_buffer_are_no_opening_of_a_longer_word() -> None:
    assert spotted(["漏水水"], "楼道漏水") == []
    assert spotted(["漏水水"], "漏水水") == [(0, "漏水水", 0)]
