"""Telling: nothing that a command quotes is kept unmasked, wherever its line is cut."""

from __future__ import annotations

import pytest

from nlp.reader import Reader
from serving.errands.telling import LONGEST, MARGIN, Telling

NUMBER = "13812345678"


def told(line: str) -> str:
    telling = Telling(Reader(), {})
    telling.hear(line)
    return telling.told.said[0]


@pytest.mark.parametrize("before", range(LONGEST - 12, LONGEST + MARGIN + 2, 3))
def test_a_number_that_the_cut_goes_through_is_masked(before: int) -> None:
    said = told("路" * (before - 1) + "，" + NUMBER + "，" + "灯" * 200)
    assert len(said) <= LONGEST
    assert NUMBER[:4] not in said


@pytest.mark.parametrize("shift", range(12))
def test_what_is_shorter_when_it_is_masked_lets_no_half_number_in(shift: int) -> None:
    said = told("路" * shift + f"找{NUMBER}，" * 100)
    assert len(said) <= LONGEST
    assert NUMBER[:4] not in said


def test_a_short_line_is_whole() -> None:
    assert told("路" * LONGEST) == "路" * LONGEST
    assert told(f"打{NUMBER}") == "打[手机号]"
