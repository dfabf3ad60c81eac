from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.calls.seams import Seams

SEAMS = Seams()
FEW = settings(max_examples=60, deadline=None)
WORDS = str.maketrans("0123456789", "零幺二三四五六七八九")
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
LANDLINES = st.from_regex(r"0[3-9][0-9]{2}[2-8][0-9]{6}", fullmatch=True)
IDENTITIES = st.from_regex(r"11010119[5-9][0-9](0[1-9]|1[0-2])(0[1-9]|1[0-9])[0-9]{3}[0-9]", fullmatch=True)
CARDS = st.from_regex(r"62[0-9]{14,17}", fullmatch=True)
NUMBERS = st.one_of(MOBILES, LANDLINES, IDENTITIES, CARDS)
BEFORE = st.sampled_from(["", "我电话是", "你记一下", "我身份证", "喂，"])
AFTER = st.sampled_from(["", "。", "嗯", "，我家漏水了", "你打过来吧"])
BETWEEN = st.sampled_from(["", "，", "。", "嗯", "…嗯", "然后"])


@st.composite
def split_numbers(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A number, and the turns in which it is spoken: cut anywhere, in figures or in words."""
    number = draw(NUMBERS)
    said = number.translate(WORDS) if draw(st.booleans()) else number
    cuts = sorted({0, len(said), *draw(st.lists(st.integers(1, len(said) - 1), max_size=5))})
    parts = [said[start:end] for start, end in pairwise(cuts)]
    turns = [part + draw(BETWEEN) for part in parts[:-1]] + parts[-1:]
    turns[0] = draw(BEFORE) + turns[0]
    turns[-1] += draw(AFTER)
    return said, turns


def digits(texts: list[str]) -> str:
    """All digits that are left, in figures and in words."""
    return "".join(sign for sign in "".join(texts) if sign.isdecimal() or sign in "零幺二三四五六七八九")


@FEW
@given(split_numbers())
def test_never_more_than_three_digits_of_a_number_are_kept(spoken: tuple[str, list[str]]) -> None:
    _, turns = spoken
    held: list[str] = []
    for turn in turns:
        held = SEAMS.masked([*held, turn])  # what was stored, and what comes now
        assert len(digits(held)) <= 3, held


@FEW
@given(split_numbers())
def test_nor_while_a_turn_is_still_being_recognised(spoken: tuple[str, list[str]]) -> None:
    _, turns = spoken
    held: list[str] = []
    for turn in turns:
        for end in range(1, len(turn) + 1, 2):
            assert len(digits(SEAMS.masked([*held, turn[:end]]))) <= 3
        held = SEAMS.masked([*held, turn])


@FEW
@given(split_numbers())
def test_nor_where_turns_come_in_any_order(spoken: tuple[str, list[str]]) -> None:
    _, turns = spoken
    held: dict[int, str] = {}
    for place in reversed(range(len(turns))):
        held[place] = turns[place]
        order = sorted(held)
        held = dict(zip(order, SEAMS.masked([held[each] for each in order]), strict=True))
        assert len(digits(list(held.values()))) <= 3, held


@FEW
@given(split_numbers())
def test_one_by_one_and_all_at_once_are_the_same(spoken: tuple[str, list[str]]) -> None:
    _, turns = spoken
    held: list[str] = []
    for turn in turns:
        held = SEAMS.masked([*held, turn])
    assert held == SEAMS.masked(turns)


@FEW
@given(st.lists(st.text(st.sampled_from("我叫王小明电话漏水138-， 嗯。@aq.[]号码<b>年川"), max_size=20), max_size=5))
def test_masking_twice_changes_nothing_and_keeps_the_turns(turns: list[str]) -> None:
    masked = SEAMS.masked(turns)
    assert len(masked) == len(turns)
    again = SEAMS.masked(masked)
    assert SEAMS.masked(again) == again
    assert all("\n" not in text for text in masked)


@pytest.mark.parametrize(
    ("turns", "masked"),
    [
        (["我电话138", "1234", "5678，漏水"], ["我电话[号码]", "[号码]", "[号码]，漏水"]),
        (["我电话13812345678"], ["我电话[手机号]"]),
        (["我电话13812345678", "5栋漏水"], ["我电话[手机号]", "5栋漏水"]),
        (["138然后", "123那个", "456嗯", "78"], ["[号码]然后", "[号码]那个", "[号码]嗯", "[号码]"]),
        (["电话是幺三八一二三四五六七八吧"], ["电话是[号码]吧"]),
        (["138，1234，5678"], ["[号码]"]),
        (["我叫", "王小明"], ["我叫", "[姓名]"]),
        (["我叫王", "小明，家里漏水"], ["我叫[姓]", "[姓名]，家里漏水"]),
        (["我叫欧阳", "小明。"], ["我叫[姓]", "[姓名]。"]),
        (["川A12", "D45挡路"], ["[车牌号]", "挡路"]),
        (["wang@", "qq.com"], ["[邮箱]", ""]),
        (["微信abcde", "fg12"], ["微信[账号]", "[账号]"]),
        (["我家3栋", "501室"], ["我家3栋", "[房号]"]),
        (["两行\n字"], ["两行 字"]),
        ([], []),
    ],
)
def test_what_is_spoken_over_a_border(turns: list[str], masked: list[str]) -> None:
    assert SEAMS.masked(turns) == masked


@pytest.mark.parametrize(
    "turns",
    [
        ["停水", "2026年开始的"], ["欠薪", "12000元没有发"], ["已经15", "天了"], ["在138路车站"], ["有12", "个人"],
        ["我姓王", "我家漏水"], ["第一", "一直漏水"], ["星期一", "二楼漏水"],
    ],
)  # fmt: skip
def test_what_is_no_number_stays(turns: list[str]) -> None:
    assert "[号码]" not in "".join(SEAMS.masked(turns))


@pytest.mark.parametrize("turn", ["1", "一", "12345 ", "嗯", "我叫王", "漏水"])
def test_long_calls_take_no_more_than_a_moment(turn: str) -> None:
    begun = time.process_time()
    SEAMS.masked([turn] * 2000)
    SEAMS.masked([turn * (100_000 // len(turn))])
    assert time.process_time() - begun < 3
