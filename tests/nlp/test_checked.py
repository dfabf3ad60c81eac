"""Rule files are read whole or refused, and a refusal names file, line and column."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nlp.checked import STRICT, line_of, listed, read_checked, read_rows, read_table, row_of
from nlp.errors import RefusedData

COLUMNS = ("编码", "名称")


@dataclass(frozen=True, kw_only=True)
class Part:
    __pydantic_config__ = STRICT

    name: str
    kind: Literal["big", "small"] = "big"
    on: tuple[date, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Whole:
    __pydantic_config__ = STRICT

    title: str
    name: str
    most: int = 1
    open: bool = True
    limits: Mapping[str, str]
    parts: tuple[Part, ...] = ()


GOOD = """\
# title = "not this one"
title = "整体"  # [[parts]]
name = "whole"
most = 3
open = true

[limits]
title = "2 小时"
general = "7 自然日"

# [[parts]]
# name = "not this one"
[[parts]]
name = "甲"
kind = "small"
tags = [
  "一",
  "二",
]

[[parts]]  # the second
name = "乙"
on = [
  2026-01-01,
]
"""


def written(folder: Path, text: str | bytes, name: str = "rules.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def numbered(text: str, content: str, nth: int = 0) -> int:
    """The line of a text that begins with some content."""
    return [number for number, line in enumerate(text.split("\n"), 1) if line.startswith(content)][nth]


def refusal(path: Path) -> RefusedData:
    with pytest.raises(RefusedData) as caught:
        read_checked(path, Whole)
    return caught.value


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    whole = read_checked(written(tmp_path, GOOD), Whole)
    assert whole == Whole(
        title="整体", name="whole", most=3, open=True, limits={"title": "2 小时", "general": "7 自然日"},
        parts=(Part(name="甲", kind="small", tags=("一", "二")), Part(name="乙", on=(date(2026, 1, 1),))),
    )  # fmt: skip


FAULTS = {
    "unknown key": ('most = 3\nmots = 4', "mots = 4", "mots：没有这个字段"),
    "unknown key of a table": ('name = "乙"\ncolour = "红"', "colour", "parts.2.colour：没有这个字段"),
    "text for a number": ('most = "many"', "most", "most：须是整数"),
    "number for a text": ('title = 7', "title = 7", "title：须是文字"),
    "text for true or false": ('open = "perhaps"', "open", "open：须是 true 或 false"),
    "text for a list": ('name = "乙"\ntags = "一"', "tags = \"一\"", "parts.2.tags：须是列表"),
    "not one of the values": ('kind = "huge"', "kind", "parts.1.kind：不是可用的取值"),
    "number in a table": ('general = 7', "general", "limits.general：须是文字"),
    "number in a list": ('tags = [\n  1,', "tags", "parts.1.tags.1：须是文字"),
    "no date": ('on = ["2026-02-30"]\n#', "on", "parts.2.on.1：须是日期，如 2026-01-31"),
    "no text in the second table": ('name = 2', "name = 2", "parts.2.name：须是文字"),
    "a missing key of the second table": ('# none', "[[parts]]  # the second", "parts.2.name：缺少字段"),
    "a missing key of the file": ('# none', None, "title：缺少字段"),
}  # fmt: skip
REPLACED = {
    "unknown key": "most = 3", "unknown key of a table": 'name = "乙"', "text for a number": "most = 3",
    "number for a text": 'title = "整体"', "text for true or false": "open = true", "text for a list": 'name = "乙"',
    "not one of the values": 'kind = "small"', "number in a table": 'general = "7 自然日"',
    "number in a list": 'tags = [\n  "一",', "no date": "on = [\n  2026-01-01,\n]",
    "no text in the second table": 'name = "乙"', "a missing key of the second table": 'name = "乙"',
    "a missing key of the file": 'title = "整体"',
}  # fmt: skip


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_file_line_and_reason(tmp_path: Path, fault: str, ends: str) -> None:
    new, begins, reason = FAULTS[fault]
    head, old, rest = GOOD.partition("\n" + REPLACED[fault])
    assert old
    text = f"{head}\n{new}{rest}"
    path = written(tmp_path, text.replace("\n", ends))
    # A key that the file lacks has no line of its own: the file's first stands for it.
    line = 1 if begins is None else numbered(text, begins)
    assert str(refusal(path)) == f"规则文件 {path} 第 {line} 行 不能使用：{reason}"


def test_a_missing_key_of_the_file_is_not_sought_in_its_tables(tmp_path: Path) -> None:
    text = GOOD.replace('\nname = "whole"', "")
    assert f"{tmp_path / 'rules.toml'} 第 1 行" in str(refusal(written(tmp_path, text)))


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    text = 'title = "整体"\nname = "whole"\n[[parts]]\nname = "甲"\n'
    assert str(refusal(written(tmp_path, text))).endswith("第 1 行 不能使用：limits：缺少字段")


LOCATIONS = {
    ("title",): 1,
    ("limits",): 3,
    ("limits", "a"): 4,
    ("limits", "b"): 5,
    ("limits", "c"): 3,
    ("parts", 0): 7,
    ("parts", 0, "name"): 8,
    ("parts", 1): 13,
    ("parts", 1, "name"): 13,  # it has none
    ("parts", 1, "tags", 0): 14,
    ("parts", 2): 15,
    ("parts", 2, "name"): 16,
    ("others", 0, "name"): 10,
    ("others", 1, "name"): 18,
    ("nowhere",): 1,
}
SPREAD = """\
title = 1

[limits]
a = 1
 b=2

[[parts]]
name = 1
[[others]]
name = 1
# [[parts]]

[[ parts ]]
tags = [1]
[[parts]]
name = 1
[[others]]
name = 1
"""


@pytest.mark.parametrize(("location", "line"), LOCATIONS.items())
def test_a_location_has_exactly_its_line(location: tuple[str | int, ...], line: int) -> None:
    assert tomllib.loads(SPREAD)
    assert line_of(SPREAD, location) == line


WRITTEN_OTHERWISE = {
    "a quoted key": ('x = 1\n"title" = 1\n', ("title",), 2),
    "a key in single quotes": ("[[parts]]\n'name' = 1\n", ("parts", 0, "name"), 2),
    "a quoted table": ('x = 1\n["limits"]\ny = 1\na = 1\n', ("limits", "a"), 4),
    "a dotted key": ("x = 1\nlimits.a = 1\nlimits.b = 1\n", ("limits", "b"), 3),
    "an inline table": ("x = 1\nlimits = { a = 1, b = 1 }\n", ("limits", "b"), 2),
    "a table of a table": ("[limits]\nx = 1\n[limits.deep]\na = 1\n", ("limits", "deep", "a"), 4),
    "a key that a value of several lines seems to hold": ('x = """\ntitle = 1\n"""\ntitle = 1\n', ("title",), 4),
    "a table that a value of several lines seems to hold": (
        'x = """\n[limits]\na = 1\n"""\n[limits]\na = 1\n', ("limits", "a"), 6,
    ),
    "a line separator inside a value": ("x = '一\u2028二'\ntitle = 1\n", ("title",), 2),
}  # fmt: skip


@pytest.mark.parametrize(("text", "location", "line"), WRITTEN_OTHERWISE.values(), ids=WRITTEN_OTHERWISE)
def test_a_line_is_right_however_the_file_is_written(text: str, location: tuple[str | int, ...], line: int) -> None:
    assert tomllib.loads(text)
    assert line_of(text, location) == line


@given(st.lists(st.sampled_from(["parts", "others"]), min_size=1, max_size=12), st.data())
def test_the_line_of_a_key_is_found_in_any_order_of_tables(tables: list[str], data: st.DataObject) -> None:
    lines, known = ["title = 0"], dict[tuple[str | int, ...], int]()
    for number, table in enumerate(tables):
        lines += [""] * data.draw(st.integers(0, 2)) + [f"[[{table}]]"]
        known[table, tables[:number].count(table)] = len(lines)
        for key in data.draw(st.lists(st.sampled_from(["title", "name", "tags"]), unique=True)):
            lines.append(f"{key} = {number}")
            known[table, tables[:number].count(table), key] = len(lines)
    assert {location: line_of("\n".join(lines), location) for location in known} == known


@pytest.mark.parametrize(
    ("text", "line"), [("title = \n", 1), ("a = 1\nb = 2\nc = = 3\n", 3), ("a = 1\n\na = 2\n", 3), ("[limits\n", 1)]
)
def test_a_syntax_error_is_told_with_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, text)
    fault = refusal(path)
    assert str(path) in str(fault)
    assert f"line {line}," in str(fault)


def test_a_toml_file_that_is_not_there_or_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    assert "nowhere.toml" in str(refusal(tmp_path / "nowhere.toml"))
    assert str(tmp_path) in str(refusal(tmp_path))
    assert "rules.toml" in str(refusal(written(tmp_path, GOOD.encode("gb18030"))))


def test_a_toml_file_with_a_byte_order_mark_is_refused_at_its_first_line(tmp_path: Path) -> None:
    fault = str(refusal(written(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())))
    assert str(tmp_path / "rules.toml") in fault
    assert "line 1," in fault


def test_an_empty_toml_file_is_refused_where_fields_are_needed(tmp_path: Path) -> None:
    assert str(refusal(written(tmp_path, ""))).endswith("第 1 行 不能使用：title：缺少字段")


TABLE = "编码,名称\n01,甲\n\n02, 乙 \n"
ROWS = [(2, {"编码": "01", "名称": "甲"}), (4, {"编码": "02", "名称": "乙"})]


def table(folder: Path, text: str | bytes) -> list[tuple[int, dict[str, str]]]:
    return list(read_table(written(folder, text, "t.csv"), COLUMNS))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_table_is_read_in_the_encodings_that_offices_write(tmp_path: Path, encoding: str, ends: str) -> None:
    assert table(tmp_path, TABLE.replace("\n", ends).encode(encoding)) == ROWS


def test_names_that_only_gb18030_and_not_gbk_holds_are_read(tmp_path: Path) -> None:
    assert table(tmp_path, "编码,名称\n01,䶮㐂镇\n".encode("gb18030")) == [(2, {"编码": "01", "名称": "䶮㐂镇"})]


def test_blank_rows_are_passed_over_but_counted(tmp_path: Path) -> None:
    assert [line for line, _ in table(tmp_path, "编码,名称\n,\n  ,  \n\n01,甲\n")] == [5]


def test_lines_stay_exact_after_a_cell_of_several_lines(tmp_path: Path) -> None:
    rows = table(tmp_path, '编码,名称\n01,"甲\n乙\n丙"\n02,丁\n')
    assert rows[1] == (5, {"编码": "02", "名称": "丁"})


def test_a_row_with_a_cell_of_several_lines_is_told_by_its_first(tmp_path: Path) -> None:
    assert table(tmp_path, '编码,名称\n01,"甲\n乙\n丙"\n')[0][0] == 2


HEAD = "表头须是：编码,名称"
TABLES = {
    "too many cells": ("编码,名称\n01,甲\n02,乙,丙\n", 3, "有 3 列，应有 2 列"),
    "too few cells": ("编码,名称\n\n01,甲\n02\n", 4, "有 1 列，应有 2 列"),
    "a wrong name": ("编码,名字\n01,甲\n", 1, HEAD),
    "another order": ("名称,编码\n甲,01\n", 1, HEAD),
    "a further column": ("编码,名称,备注\n01,甲,\n", 1, HEAD),
    "a missing column": ("编码\n01\n", 1, HEAD),
    "a name missing over whole rows": ("编码\n01,甲\n", 1, HEAD),
    "the first column twice": ("编码,编码,名称\n01,02,甲\n", 1, HEAD),
    "the last column twice": ("编码,名称,名称\n01,甲,乙\n", 1, HEAD),
    "no head": ("01,甲\n02,乙\n", 1, HEAD),
    "no head and one row": ("01,甲\n", 1, HEAD),
    "a wrong head and no rows": ("编码,名字\n", 1, HEAD),
    "an empty file": ("", 1, HEAD),
    "blank lines": ("\n\n", 1, HEAD),
    "a broken quote in the head": ('"编码"一,名称\n01,甲\n', 1, "不是完整的 CSV"),
    "a broken quote": ('编码,名称\n01,"甲"乙\n', 2, "不是完整的 CSV"),
}


@pytest.mark.parametrize(("text", "line", "reason"), TABLES.values(), ids=TABLES)
def test_a_table_with_a_fault_is_refused_by_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(RefusedData) as caught:
        table(tmp_path, text)
    assert str(caught.value).startswith(f"规则文件 {tmp_path / 't.csv'} 第 {line} 行 不能使用：{reason}")


def test_a_table_without_rows_is_an_empty_one(tmp_path: Path) -> None:
    assert table(tmp_path, "编码,名称\n") == []
    head, rows = read_rows(written(tmp_path, "编码, 名称\n", "t.csv"))
    assert (head, list(rows)) == (["编码", "名称"], [])


def test_a_quote_that_does_not_close_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedData, match=r"t\.csv 第 \d 行 不能使用：不是完整的 CSV"):
        table(tmp_path, '编码,名称\n01,"甲\n02,乙\n')


@pytest.mark.parametrize("content", [TABLE.encode("utf-16"), b"\xff\xfe\xff", "编码".encode() + b"\xff"])
def test_bytes_that_are_no_text_are_refused_by_the_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RefusedData, match=r"t\.csv 不能使用：不是 UTF-8 或 GB 18030"):
        table(tmp_path, content)


def test_a_table_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(RefusedData, match=r"nowhere\.csv"):
        list(read_table(tmp_path / "nowhere.csv", COLUMNS))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RefusedData, match=r"folder\.csv"):
        read_rows(tmp_path / "folder.csv")


CELL = st.text(st.characters(codec="gb18030", exclude_categories=["C", "Z"]), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), max_size=8), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_every_cell_comes_back_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], encoding: str
) -> None:
    lines = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]
    text = "\n".join(["编码,名称", *lines])
    path = written(tmp_path_factory.getbasetemp(), text.encode(encoding), "cells.csv")
    assert list(read_table(path, COLUMNS)) == [
        (line, dict(zip(COLUMNS, row, strict=True))) for line, row in enumerate(rows, 2) if any(row)
    ]


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("", ()),
        (" ", ()),
        ("甲", ("甲",)),
        ("甲；乙;丙", ("甲", "乙", "丙")),
        ("；甲 ；； 乙；", ("甲", "乙")),
        ("甲、乙", ("甲、乙",)),
    ],
)
def test_a_cell_lists_its_values(cell: str, values: tuple[str, ...]) -> None:
    assert listed(cell) == values


def test_a_row_with_a_fault_is_told_by_its_column() -> None:
    kind, names = TypeAdapter(Part), {"kind": "种类", "on": "日期"}
    assert row_of(Path("t.csv"), 7, kind, {"name": "甲", "on": ["2026-01-31"]}, names).on == (date(2026, 1, 31),)
    with pytest.raises(RefusedData, match=r"t\.csv 第 7 行 不能使用：列“种类”：不是可用的取值"):
        row_of(Path("t.csv"), 7, kind, {"name": "甲", "kind": "huge"}, names)
    with pytest.raises(RefusedData, match=r"t\.csv 第 8 行 不能使用：列“日期”：须是日期"):
        row_of(Path("t.csv"), 8, kind, {"name": "甲", "on": ["2026-02-30"]}, names)
    with pytest.raises(RefusedData, match=r"t\.csv 第 9 行 不能使用：列“name”：缺少字段"):
        row_of(Path("t.csv"), 9, kind, {}, names)
