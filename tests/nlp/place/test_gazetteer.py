"""Gazetteers: tables in Chinese and in English, house numbers, and what is refused, by line and column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.place.area import NOWHERE, Area
from nlp.place.finder import Finder
from nlp.place.gazetteer import KINDS, Gazetteer, Numbers, Spot, cover
from nlp.segment import open_segmenter

CHINESE = ("名称", "类型", "别名", "门牌", "网格", "社区", "街道", "区县")
ENGLISH = ("name", "kind", "aliases", "numbers", "grid", "community", "street", "district")
HERE = Area("第3网格", "航天社区", "柳城街道", "温江区")
SPOTS = (
    Spot("航天路", "road", HERE, ("老航天路", "航天大街"), Numbers(1, 99, 1)),
    Spot("丽景花园", "estate", HERE),
    Spot("温江区", "district", Area(district="温江区")),
)
ROWS = [
    {"name": "航天路", "kind": "道路", "aliases": "老航天路；航天大街", "numbers": "1-99单", "grid": "第3网格",
     "community": "航天社区", "street": "柳城街道", "district": "温江区"},
    {"name": "丽景花园", "kind": "小区", "aliases": "", "numbers": "", "grid": "第3网格",
     "community": "航天社区", "street": "柳城街道", "district": "温江区"},
    {"name": "温江区", "kind": "区县", "aliases": "", "numbers": "", "grid": "", "community": "", "street": "",
     "district": "温江区"},
]  # fmt: skip


def table(heads: dict[str, str], rows: list[dict[str, str]]) -> str:
    """A CSV text with these columns, in this order, under these names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads.values())
    writer.writerows([row[column] for column in heads] for row in rows)
    return out.getvalue()


def read(folder: Path, text: str, encoding: str = "utf-8") -> Gazetteer:
    path = folder / "gazetteer.csv"
    path.write_bytes(text.encode(encoding))
    return Gazetteer.read(path)


@pytest.mark.parametrize("names", [CHINESE, ENGLISH, tuple(name.upper() for name in ENGLISH)])
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6, 7), (7, 6, 5, 4, 3, 2, 1, 0), (4, 0, 7, 3, 1, 6, 2, 5)])
def test_heads_may_be_chinese_or_english_in_any_order(
    tmp_path: Path, names: tuple[str, ...], order: tuple[int, ...]
) -> None:
    heads = {ENGLISH[number]: names[number] for number in order}
    assert read(tmp_path, table(heads, ROWS)).spots == SPOTS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_may_come_from_excel(tmp_path: Path, encoding: str) -> None:
    text = table(dict(zip(ENGLISH, CHINESE, strict=True)), ROWS)
    assert read(tmp_path, text, encoding).spots == SPOTS


@pytest.mark.parametrize(("kind", "chinese"), KINDS.items())
def test_a_kind_may_be_told_in_both_languages(tmp_path: Path, kind: str, chinese: str) -> None:
    spots = read(tmp_path, f"名称,类型,网格\n航天路,{kind},1\n航天路,{chinese},1\n").spots
    assert [spot.kind for spot in spots] == [kind, kind]


def test_a_name_and_one_unit_are_enough(tmp_path: Path) -> None:
    assert read(tmp_path, "名称,单位\n人民医院,第3网格\n").spots == (Spot("人民医院", "poi", Area("第3网格")),)
    assert read(tmp_path, "地名,街道\n人民医院,柳城街道\n").spots[0].area.unit == "柳城街道"


def test_a_column_of_units_counts_where_no_level_is_known(tmp_path: Path) -> None:
    (spot,) = read(tmp_path, "名称,单位,社区\n人民医院,第3网格,航天社区\n").spots
    assert spot.area == Area(community="航天社区")
    (spot,) = read(tmp_path, "名称,单位,社区\n人民医院,第3网格,\n").spots
    assert spot.area.unit == "第3网格"


def test_blanks_around_cells_and_empty_lines_do_not_count(tmp_path: Path) -> None:
    spots = read(tmp_path, "名称 , 网格\n\n 人民医院 , 第3网格 \n,\n").spots
    assert spots == (Spot("人民医院", "poi", Area("第3网格")),)


def test_aliases_of_one_character_are_left_out(tmp_path: Path) -> None:
    (spot,) = read(tmp_path, "名称,别名,网格\n人民医院,院；老医院; 县医院 ;,第3网格\n").spots
    assert spot.aliases == ("老医院", "县医院")


def test_every_name_and_alias_leads_to_all_its_rows(tmp_path: Path) -> None:
    text = "名称,别名,网格\n同心苑,老苑,1\n同心苑,同心苑；老苑,2\n金座,,3\n"
    found = read(tmp_path, text).by_name
    assert {name: [spot.area.grid for spot in spots] for name, spots in found.items()} == {
        "同心苑": ["1", "2"], "老苑": ["1", "2"], "金座": ["3"],
    }  # fmt: skip


def test_the_shipped_gazetteer_is_empty_and_shows_its_columns() -> None:
    path = RULES / "gazetteer.csv"
    assert Gazetteer.read(path).spots == ()
    assert tuple(path.read_text(encoding="utf-8").strip().split(",")) == CHINESE


REFUSED = {
    "no unit": ("名称,类型,网格,社区\n航天路,道路,1,\n丽景花园,小区,,\n", "第 3 行", "列“网格”"),
    "unknown kind": ("名称,类型,网格\n航天路,马路,1\n", "第 2 行", "列“类型”：马路"),
    "no range": ("名称,类型,网格,门牌\n航天路,道路,1,1到99\n", "第 2 行", "列“门牌”"),
    "one number": ("名称,类型,网格,门牌\n航天路,道路,1,12\n", "第 2 行", "列“门牌”"),
    "unknown side": ("名称,类型,网格,门牌\n航天路,道路,1,1-99奇\n", "第 2 行", "列“门牌”"),
    "two ranges": ("名称,类型,网格,门牌\n航天路,道路,1,1-9；21-29\n", "第 2 行", "列“门牌”"),
    "backwards": ("名称,类型,网格,门牌\n航天路,道路,1,99-1\n", "第 2 行", "列“门牌”"),
    "empty name": ("名称,网格\n航天路,1\n,2\n", "第 3 行", "列“名称”"),
    "short name": ("名称,网格\n航天路,1\n路,2\n", "第 3 行", "列“名称”"),
    "short once it is read": ("名称,网格\n航天路,1\n路\u200b,2\n", "第 3 行", "列“名称”"),
    "unknown column": ("名称,网格,电话\n航天路,1,2\n", "第 1 行", "不认识的列 电话"),
    "unknown column without rows": ("名称,网格,电话\n", "第 1 行", "不认识的列 电话"),
    "two columns of names": ("名称,name,网格\n航天路,杭天路,1\n", "第 1 行", "列"),
    "one column twice": ("名称,名称,网格\n航天路,杭天路,1\n", "第 1 行", "列"),
    "no name": ("类型,网格\n道路,1\n", "第 1 行", "缺少列 名称"),
    "no column of units": ("名称,类型\n航天路,道路\n", "第 1 行", "缺少覆盖单位的列"),
    "short row": ("名称,类型,网格\n航天路,道路,1\n丽景花园,小区\n", "第 3 行", "有 2 列，应有 3 列"),
    "long row": ("名称,类型,网格\n航天路,道路,1,2\n", "第 2 行", "有 4 列，应有 3 列"),
    "a quote left open": ('名称,类型,网格\n航天路,道路,"1\n', "行", "不是完整的 CSV"),
}


@pytest.mark.parametrize(("text", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_line_and_column(tmp_path: Path, text: str, line: str, reason: str) -> None:
    with pytest.raises(RefusedData) as refused:
        read(tmp_path, text)
    assert "gazetteer.csv" in str(refused.value)
    assert line in str(refused.value)
    assert reason in str(refused.value)


def test_a_file_that_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gazetteer.csv"
    with pytest.raises(RefusedData, match=r"gazetteer\.csv"):
        Gazetteer.read(path)
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(RefusedData, match="编码"):
        Gazetteer.read(path)


@pytest.mark.parametrize("alias", ["院\u200b", "院\u0301", "\u200b\u200b"])
def test_what_was_read_can_be_used(tmp_path: Path, alias: str) -> None:
    """An alias that is too short once it is read does as little harm as one that is so as it is written."""
    gazetteer = read(tmp_path, f"名称,别名,网格\n人民医院,{alias},第3网格\n")
    assert Finder(gazetteer, open_segmenter())


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 300), st.sampled_from([None, 0, 1]))
def test_a_stretch_holds_the_numbers_of_its_side(first: int, last: int, number: int, parity: int | None) -> None:
    expected = set(range(first, last + 1))
    if parity is not None:
        expected = {house for house in expected if house % 2 == parity}
    assert Numbers(first, last, parity).hold(number) == (number in expected)


@pytest.mark.parametrize(
    ("cell", "inside", "outside"),
    [
        ("1-99单", (1, 3, 99), (2, 98, 101)),
        ("2-58双", (2, 58), (1, 57, 60)),
        ("1-99", (1, 2, 98, 99), (0, 100)),
        ("7-7", (7,), (6, 8)),
    ],
)
def test_house_numbers_are_of_one_side_or_of_both(
    tmp_path: Path, cell: str, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    numbers = read(tmp_path, f"名称,类型,门牌,网格\n航天路,道路,{cell},1\n").spots[0].numbers
    assert numbers is not None
    assert all(map(numbers.hold, inside))
    assert not any(map(numbers.hold, outside))


ODD, EVEN = (Spot("航天路", "road", HERE._replace(grid=grid), (), numbers) for grid, numbers in
             (("单号网格", Numbers(1, 99, 1)), ("双号网格", Numbers(2, 98, 0))))  # fmt: skip
REST = Spot("航天路", "road", HERE._replace(grid="其余网格"))


@pytest.mark.parametrize(("number", "unit"), [(5, "单号网格"), (6, "双号网格"), (200, "航天社区"), (None, "航天社区")])
def test_a_number_picks_its_stretch_and_without_one_the_road_has_what_is_common(number: int | None, unit: str) -> None:
    assert cover([ODD, EVEN], number).unit == unit


def test_of_rows_with_and_without_numbers_that_with_the_number_holds() -> None:
    assert cover([REST, ODD], 5).unit == "单号网格"
    assert cover([REST], 5).unit == "其余网格"
    assert cover([], 5) == NOWHERE
