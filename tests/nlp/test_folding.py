"""The table that folds single code points."""

from __future__ import annotations

import unicodedata

import numpy as np
import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.folding import CHANGING, fold_character, folding, simplified

HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x323B0))


def simplified_by_opencc(character: str, converter: opencc.OpenCC) -> str:
    """opencc asked until its answer is its own."""
    before, after = "", unicodedata.normalize("NFKC", character)
    while before != after:
        before, after = after, converter.convert(after)
    return after


def test_single_characters_are_simplified_as_opencc_does() -> None:
    converter, pairs = opencc.OpenCC("t2s"), simplified()
    characters = [chr(code) for block in HAN for code in block if unicodedata.category(chr(code)) == "Lo"]
    different = [c for c in characters if fold_character(c, pairs) != simplified_by_opencc(c, converter)]
    assert different == []


def test_the_table_simplifies_every_traditional_character() -> None:
    table, pairs = folding(), simplified()
    assert [key for key, value in pairs.items() if table.first[ord(key)] != ord(value)] == []


def test_what_a_code_point_folds_to_folds_to_itself() -> None:
    table = folding()
    single = table.first[table.width == 1]
    several = np.concatenate(list(table.rest.values()))
    for codes in (single, several):
        assert (table.width[codes] == 1).all()
        assert (table.first[codes] == codes).all()


def test_code_points_with_several_in_their_place_are_all_listed() -> None:
    table = folding()
    assert set(table.rest) == set(np.flatnonzero(table.width > 1).tolist())
    assert all(len(codes) == table.width[code] and codes[0] == table.first[code] for code, codes in table.rest.items())


@given(st.characters())
def test_the_table_says_what_folding_a_character_says(character: str) -> None:
    table, code = folding(), ord(character)
    text = "".join(map(chr, table.rest.get(code, [table.first[code]] if table.width[code] else [])))
    folded = fold_character(character, simplified())
    assert text == folded or (set(folded) == {text} and table.mark[ord(text)])


@given(st.characters(exclude_categories=["Cn", "Co"]))
def test_only_the_listed_planes_change(character: str) -> None:
    if not any(ord(character) in block for block in CHANGING) and character not in simplified():
        assert fold_character(character, simplified()) == character


@pytest.mark.parametrize(
    ("character", "folded"),
    [
        ("Ａ", "a"),
        ("７", "7"),
        ("①", "1"),
        ("㎡", "m2"),
        ("℃", "°c"),
        ("ﬁ", "fi"),
        ("㍿", "株式会社"),
        ("Ⅷ", "viii"),
        ("é", "e"),
        ("Å", "a"),
        ("，", ","),
        ("：", ":"),
        ("　", " "),
        ("\u00a0", " "),
        ("\t", " "),
        ("\n", " "),
        ("\u2028", " "),
        ("臺", "台"),
        ("漏", "漏"),
        ("。", "。"),
        ("K", "k"),
    ],
)
def test_compatibility_forms_widths_and_cases_are_one(character: str, folded: str) -> None:
    assert fold_character(character, simplified()) == folded


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200d", "\ufeff", "\x00", "\x07", "\u202e", "\u0301", "\ufe0f", "\U000e0041"]
)
def test_invisible_characters_go(character: str) -> None:
    assert fold_character(character, simplified()) == ""
    assert folding().width[ord(character)] == 0


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_lone_surrogates_become_the_replacement_character(code: int) -> None:
    assert fold_character(chr(code), simplified()) == "\ufffd"


def test_no_simplified_character_is_itself_a_key() -> None:
    pairs = simplified()
    assert [pair for pair in pairs.items() if pair[1] in pairs] == []
