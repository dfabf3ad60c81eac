"""Words of rules: each is told by its petition and its place, however text and rule spell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.reader import Reader
from nlp.route.rulebase import Rulebase
from nlp.route.words import Words, between
from nlp.taxonomy import Taxonomy

READER = Reader()
ASKED = ["漏水", "漏水管", "保修期", "停电"]
fields = st.lists(st.sampled_from(["漏水", "管", "保修", "期", "停", "电", "\n", "，", "x"]), max_size=6).map("".join)


def held(words: Words, *petitions: tuple[str, str]) -> dict[int, list[str]]:
    """The words of each petition, in the order of title and text."""
    texts = READER.fields([field for petition in petitions for field in petition]).texts
    return {row: [word for _, word in found] for row, found in words.find(texts).items()}


def test_words_are_told_by_petition_title_first() -> None:
    petitions = [("漏水", "没电"), ("", ""), ("停电", "屋里漏水"), ("没事", "保修期内漏水管坏了")]
    assert held(Words(ASKED), *petitions) == {0: ["漏水"], 2: ["停电", "漏水"], 3: ["保修期", "漏水管", "漏水"]}


@given(st.lists(st.tuples(fields, fields), max_size=5))
def test_it_finds_every_word_of_every_petition(petitions: list[tuple[str, str]]) -> None:
    texts = READER.fields([field for petition in petitions for field in petition]).texts
    expected: dict[int, list[tuple[int, str]]] = {}
    for number, string in enumerate(texts.strings):
        for start in range(len(string)):
            for word in sorted(ASKED, key=len, reverse=True):
                if string.startswith(word, start):
                    place = int(texts.bounds[number]) + start
                    expected.setdefault(number // 2, []).append((place, word))
    assert Words(ASKED).find(texts) == expected


def test_no_word_reaches_from_one_field_into_the_next() -> None:
    assert held(Words(["漏水"]), ("漏", "水"), ("漏", "水漏"), ("水", "")) == {}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("P2P", "p2p爆雷"),
        ("p2p", "Ｐ２Ｐ爆雷"),
        ("漏水", "漏\u200b水"),
        ("电线", "電線落地"),
        ("電線", "电线落地"),
        ("120", "打了１２０"),
    ],
)
def test_a_word_is_found_however_it_is_written_and_told_as_the_rules_spell_it(word: str, text: str) -> None:
    assert held(Words([word]), ("", text)) == {0: [word]}


def test_two_spellings_of_one_word_are_both_told() -> None:
    """Two rules may spell a word in two ways; each must see it."""
    assert {word for words in held(Words(["P2P", "p2p"]), ("", "P2P爆雷")).values() for word in words} == {"P2P", "p2p"}
    assert {word for words in held(Words(["电线", "電線"]), ("", "電線")).values() for word in words} == {
        "电线",
        "電線",
    }


def test_every_word_of_the_shipped_rules_is_found_where_it_stands(taxonomy: Taxonomy) -> None:
    asked = sorted({word for rule in Rulebase.read(taxonomy).conditions() for word in rule.words})
    words = Words(asked)
    found = held(words, *(("", f"有{word}的事") for word in asked))
    assert [word for row, word in enumerate(asked) if word not in found.get(row, [])] == []


def test_without_words_or_texts_nothing_is_found() -> None:
    assert held(Words([]), ("漏水", "停电")) == {}
    assert held(Words(ASKED)) == {}
    assert held(Words(ASKED), ("", "")) == {}


def test_between_are_the_words_that_begin_in_a_stretch() -> None:
    found = [(0, "漏水"), (4, "停电"), (9, "漏水"), (12, "保修期")]
    assert between(found, 0, 9) == {"漏水", "停电"}
    assert between(found, 4, 12) == {"停电", "漏水"}
    assert between(found, 5, 9) == between([], 0, 99) == frozenset()
