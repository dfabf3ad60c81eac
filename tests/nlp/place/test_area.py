"""Areas: what covers a place, what two places share, and what fills a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.place.area import COLUMNS, NOWHERE, Area, common, stem

HERE = Area("第3网格", "航天社区", "柳城街道", "温江区")
areas = st.builds(Area, *[st.sampled_from(["", "甲", "乙"])] * 4)


def covers(one: Area, other: Area) -> bool:
    """Whether nothing that is known of one differs in the other."""
    return all(not mine or mine == theirs for mine, theirs in zip(one, other, strict=True))


def test_the_columns_are_those_of_an_area_lowest_first() -> None:
    assert Area._fields == COLUMNS == ("grid", "community", "street", "district")


@pytest.mark.parametrize(
    ("area", "unit"),
    [
        (HERE, "第3网格"),
        (HERE._replace(grid=""), "航天社区"),
        (Area(street="柳城街道"), "柳城街道"),
        (Area(district="温江区"), "温江区"),
        (NOWHERE, ""),
    ],
)
def test_the_unit_is_the_lowest_that_is_known(area: Area, unit: str) -> None:
    assert area.unit == unit


@given(areas, areas)
def test_two_areas_agree_where_no_unit_that_both_know_differs(one: Area, other: Area) -> None:
    both = [name for name in COLUMNS if getattr(one, name) and getattr(other, name)]
    assert one.agrees(other) == other.agrees(one) == all(getattr(one, name) == getattr(other, name) for name in both)


@given(areas, areas)
def test_joining_keeps_what_is_known_and_fills_the_gaps(one: Area, other: Area) -> None:
    joined = one.joined(other)
    assert covers(one, joined)
    for mine, theirs, found in zip(one, other, joined, strict=True):
        assert found == (mine if mine else theirs)


@given(st.lists(areas, min_size=1, max_size=4))
def test_what_areas_share_covers_each_of_them(several: list[Area]) -> None:
    shared = common(several)
    assert all(covers(shared, area) for area in several)
    for name in COLUMNS:
        values = {getattr(area, name) for area in several}
        assert getattr(shared, name) == (values.pop() if len(values) == 1 else "")


def test_no_areas_share_nothing() -> None:
    assert common([]) == NOWHERE
    assert common([HERE]) == HERE
    assert common([HERE, HERE._replace(grid="第4网格")]).unit == "航天社区"


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("第3网格", "第3"),
        ("航天社区", "航天"),
        ("航天社区居委会", "航天社区"),
        ("柳城街道", "柳城"),
        ("涌泉镇", "涌泉"),
        ("李家村", "李家"),
        ("温江区", "温江"),
        ("浮梁县", "浮梁"),
        ("城市花园", "城市花园"),
        ("社区", "社区"),  # nothing would be left
        ("", ""),
    ],
)
def test_a_stem_is_a_name_without_the_word_for_its_kind(unit: str, name: str) -> None:
    assert stem(unit) == name
