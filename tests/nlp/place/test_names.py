"""Names: the list of common words is made again; shortened names; of names that overlap the best."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.files import DATA, read_lines
from nlp.place.area import Area
from nlp.place.gazetteer import Spot
from nlp.place.names import Name, apart, shortened

TAGS = frozenset(["v", "vn", "vd", "vi", "vq", "vg", *"drpcuymqtaliz", "mq", "ad", "an", "zg"])
OFTEN = 10
# Words that roads are named after, two characters each.
TOLD = (
    "体育保卫健康创新前进劳动勤俭勤劳友爱发展和谐团结复兴大同奋斗如意学习安定富强"
    "展望希望平安幸福建设快乐拥军振兴教育欢乐繁荣美好联合胜利自由解放跃进进步齐心"
)
ROADS = frozenset(TOLD[start : start + 2] for start in range(0, len(TOLD), 2))


def chinese(word: str) -> bool:
    return all("\u4e00" <= character <= "\u9fff" for character in word)


def test_the_common_words_are_those_of_jieba() -> None:
    made = set()
    for line in (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, often, tag = line.split()
        if 2 <= len(word) <= 4 and int(often) >= OFTEN and tag in TAGS and chinese(word):
            made.add(word)
    held = " ".join(read_lines(DATA / "common.txt")).split()
    assert held == sorted(made - ROADS)
    assert made > ROADS


def spot(name: str, kind: str = "estate") -> Spot:
    return Spot(name, kind, Area(grid=name))


def test_a_shortened_name_is_a_beginning_or_an_end_that_one_place_alone_has() -> None:
    rows = [spot("丽景花园"), spot("丽水花园"), spot("金座大厦", "building"), spot("航天大道", "road")]
    parts = shortened({row.name: (row,) for row in rows})
    assert {part: spots[0].name for part, spots in parts.items()} == {
        "丽景": "丽景花园", "丽景花": "丽景花园", "景花园": "丽景花园",
        "丽水": "丽水花园", "丽水花": "丽水花园", "水花园": "丽水花园",
        "金座": "金座大厦", "金座大": "金座大厦", "座大厦": "金座大厦",
    }  # fmt: skip


def test_what_is_a_whole_name_itself_is_no_shortened_one() -> None:
    rows = {"丽景花园": (spot("丽景花园"),), "丽景": (spot("丽景", "road"),)}
    assert "丽景" not in shortened(rows)


def test_a_shortened_name_of_two_places_with_one_name_stands_for_both() -> None:
    both = (Spot("同心花苑", "estate", Area("第1网格")), Spot("同心花苑", "estate", Area("第2网格")))
    assert shortened({"同心花苑": both})["同心"] == both


def test_of_names_that_overlap_the_longest_holds() -> None:
    short, long, other = Name(0, 2, "road"), Name(1, 5, "estate"), Name(5, 7, "road")
    assert apart(iter([short, long, other])) == [long, other]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (Name(0, 3, "road"), Name(0, 3, "road", (spot("航天路"),))),
        (Name(0, 3, "road", (spot("杭天路"),), exact=False), Name(0, 3, "road", (spot("航天路"),))),
        (Name(0, 3, "road", (spot("航天路"),)), Name(0, 4, "estate")),
    ],
)
def test_of_names_at_one_place_the_better_holds_in_any_order(worse: Name, better: Name) -> None:
    assert apart(iter([worse, better])) == apart(iter([better, worse])) == [better]


@given(
    st.lists(st.builds(lambda start, size: Name(start, start + size, "road"), st.integers(0, 30), st.integers(2, 6)))
)
def test_names_come_in_order_and_apart(names: list[Name]) -> None:
    kept = apart(iter(names))
    assert all(one.end <= other.start for one, other in pairwise(kept))
    assert bool(kept) == bool(names)
