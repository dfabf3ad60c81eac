"""Charts: round ticks, bars that add up, lines that break where nothing is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.desk.overview.charts import BOTTOM, HEIGHT, TOP, WIDTH, lines, shares, stacked, ticks


@pytest.mark.parametrize(
    ("top", "whole", "expected"),
    [(0, True, [0, 1]), (1, True, [0, 1]), (3, True, [0, 1, 2, 3]), (9, True, [0, 5, 10]),
     (60, True, [0, 20, 40, 60]), (0.3, False, [0, 0.1, 0.2, 0.3]), (1, False, [0, 0.25, 0.5, 0.75, 1])],
)  # fmt: skip
def test_ticks_are_round(top: float, whole: bool, expected: list[float]) -> None:
    assert ticks(top, whole=whole) == pytest.approx(expected)


@given(st.floats(1e-6, 1e9) | st.integers(1, 10**9), st.booleans())
def test_the_last_tick_is_reached_and_no_more(top: float, whole: bool) -> None:
    found = ticks(top, whole=whole and isinstance(top, int))
    assert found[-1] >= top * (1 - 1e-6)
    assert len(found) <= 7


def test_bars_stand_upon_each_other() -> None:
    chart = stacked(
        ["甲", "乙"], [[2, 0], [1, 4]], ["11-01", "11-02"], lambda series, step: f"{series}{step}", (WIDTH, HEIGHT)
    )
    first, second, third = chart.marks
    assert (first.href, second.href, third.href) == ("00", "10", "11")
    assert second.y + second.height == pytest.approx(first.y)
    assert third.height == pytest.approx(HEIGHT - TOP - BOTTOM)
    assert (first.title, third.title) == ("11-01 甲：2", "11-02 乙：4")


def test_a_line_breaks_where_nothing_is_known() -> None:
    chart = lines(["甲"], [[0.5, 0.4, None, 0.2, 0.3]], list("abcde"), lambda *_: "", str, limit=2.0)
    assert len(chart.lines[0].paths) == 2
    assert len(chart.lines[0].points) == 4
    assert chart.limit == pytest.approx(TOP)


def test_names_beside_lines_do_not_cover_each_other() -> None:
    chart = lines(["甲", "乙"], [[0.5], [0.5]], ["a"], lambda *_: "", str)
    low, high = sorted(line.end for line in chart.lines)
    assert high - low >= 15


def test_nothing_at_all_can_be_drawn() -> None:
    assert stacked([], [], [], lambda *_: "", (WIDTH, HEIGHT)).marks == []
    assert lines(["甲"], [[None]], ["a"], lambda *_: "", str).lines[0].points == []
    assert (shares([]), shares([0]), shares([1, 4])) == ([], [0], [25, 100])
