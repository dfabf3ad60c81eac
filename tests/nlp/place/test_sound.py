"""Sounds: the table is made again from pypinyin; what is heard alike becomes one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, pinyin

from nlp.files import DATA, read_lines
from nlp.folding import SIZE
from nlp.place.sound import sounded, sounds
from nlp.text import code_points

HAN = range(0x4E00, 0xA000)
CONFUSED = (("^zh", "z"), ("^ch", "c"), ("^sh", "s"), ("^n", "l"), ("ng$", "n"))


def heard(character: str) -> str:
    """The toneless first reading, with what is often confused made one."""
    readings = pinyin(character, style=Style.NORMAL, errors="ignore")
    sound: str = readings[0][0] if readings else ""
    for written, spoken in CONFUSED:
        sound = re.sub(written, spoken, sound)
    return sound


def test_the_table_is_what_pypinyin_makes() -> None:
    groups: dict[str, str] = {}
    for character in map(chr, HAN):
        sound = heard(character)
        if sound:
            groups[sound] = groups.get(sound, "") + character
    assert read_lines(DATA / "sounds.txt") == [groups[sound] for sound in sorted(groups)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("航天路", "杭天路"),
        ("知音巷", "资阴巷"),  # zh, z
        ("城关", "层关"),  # ch, c and ng, n
        ("石山", "四三"),  # sh, s
        ("南宁", "蓝林"),  # n, l and ng, n
        ("金陵", "京林"),
    ],
)
def test_what_is_heard_alike_is_one(one: str, other: str) -> None:
    assert sounded(code_points(one)) == sounded(code_points(other))


@pytest.mark.parametrize(
    ("one", "other"), [("航天路", "航天街"), ("发", "话"), ("人", "论"), ("路", "绿"), ("3", "三")]
)
def test_what_is_heard_otherwise_stays_apart(one: str, other: str) -> None:
    assert sounded(code_points(one)) != sounded(code_points(other))


@given(st.text(max_size=20))
def test_a_sound_has_the_length_of_the_text_and_its_own_sound(text: str) -> None:
    once = sounded(code_points(text))
    assert len(once) == len(text)
    assert sounded(code_points(once)) == once


@given(st.text(st.characters(max_codepoint=0x2FFF) | st.sampled_from("\ud800\udfff😀"), max_size=20))
def test_what_is_not_chinese_sounds_like_itself(text: str) -> None:
    assert sounded(code_points(text)) == text


def test_the_table_holds_every_code_point() -> None:
    assert sounds().shape == (SIZE,)
