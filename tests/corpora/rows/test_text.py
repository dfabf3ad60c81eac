"""CSV as every program writes it is read row by row; what is broken costs one row, never the file."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.rows import file, records
from corpora.rows.open import open_rows
from corpora.rows.row import Row
from corpora.rows.text import TextSource
from nlp.errors import InputError

LINES = "工单编号,内容,一级分类\r\nA-1,青石巷的路灯不亮了，请派人来修,市政\r\nA-2,楼上漏水,住房\r\n"
TRADITIONAL = "編號,內容\r\nA-1,請問這裡的路燈為什麼不亮，沒有人來處理\r\nA-2,樓上漏水了，請來看看\r\n"


def source(path: Path, content: str | bytes, *, encoding: str = "", delimiter: str = "") -> TextSource:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return TextSource(path, encoding=encoding, delimiter=delimiter)


def read(path: Path, content: str | bytes) -> list[Row]:
    return list(source(path, content).rows())


def good(rows: list[Row]) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.number, row.cells) for row in rows if not row.reason]


def bad(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.number, row.reason) for row in rows if row.reason]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16"),
     ("utf-32", "utf-32")],
)  # fmt: skip
def test_the_encoding_is_told_by_reading(tmp_path: Path, encoding: str, told: str) -> None:
    table = source(tmp_path / "a.csv", LINES.encode(encoding))
    assert (table.encoding, table.columns) == (told, ("工单编号", "内容", "一级分类"))
    assert good(list(table.rows())) == [
        (2, ("A-1", "青石巷的路灯不亮了，请派人来修", "市政")), (3, ("A-2", "楼上漏水", "住房"))
    ]  # fmt: skip


@pytest.mark.parametrize(("encoding", "told"), [("big5", "big5hkscs"), ("gb18030", "gb18030"), ("utf-8", "utf-8")])
def test_traditional_characters_are_told_apart_by_what_is_usual(tmp_path: Path, encoding: str, told: str) -> None:
    table = source(tmp_path / "a.csv", TRADITIONAL.encode(encoding))
    assert (table.encoding, table.columns) == (told, ("編號", "內容"))
    assert next(table.rows()).cells[1] == "請問這裡的路燈為什麼不亮，沒有人來處理"


def test_an_encoding_that_shows_only_late_is_told_by_reading_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "BLOCK", 1000)
    plain = "".join(f"{number},text\n" for number in range(2000))
    table = source(tmp_path / "a.csv", f"id,text\n{plain}x,路灯不亮了，请来看看\n".encode("gb18030"))
    assert table.encoding == "gb18030"
    assert list(table.rows())[-1].cells == ("x", "路灯不亮了，请来看看")


@pytest.mark.parametrize(("text", "told"), [("水", "gb18030"), ("é", "utf-8"), ("x", "utf-8")])
def test_a_word_that_is_both_gb18030_and_utf8(tmp_path: Path, text: str, told: str) -> None:
    table = source(tmp_path / "a.csv", f"a,b\nx,{text}\n".encode(told))
    assert (table.encoding, next(table.rows()).cells) == (told, ("x", text))


def test_an_encoding_may_be_named(tmp_path: Path) -> None:
    assert source(tmp_path / "a.csv", TRADITIONAL.encode("big5"), encoding="Big5").columns == ("編號", "內容")
    with pytest.raises(InputError, match="编码 klingon"):
        source(tmp_path / "b.csv", LINES, encoding="klingon")


@pytest.mark.parametrize(("mark", "spelt"), [(",", ""), (";", ""), ("\t", ""), ("|", ""), ("\x01", ""), ("^", ""),
                                             ("，", ""), ("\t", "tab"), ("#", "#"), ("\x01", "\\x01")])  # fmt: skip
def test_any_delimiter_is_told_or_named(tmp_path: Path, mark: str, spelt: str) -> None:
    content = f"编号{mark}内容\nA-1{mark}路灯不亮\nA-2{mark}漏水\n"
    table = source(tmp_path / "a.csv", content, delimiter=spelt)
    assert (table.delimiter, table.columns) == (mark, ("编号", "内容"))
    assert good(list(table.rows())) == [(2, ("A-1", "路灯不亮")), (3, ("A-2", "漏水"))]


@pytest.mark.parametrize("delimiter", ["||", '"', "\n"])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(InputError, match="分隔符"):
        source(tmp_path / "a.csv", LINES, delimiter=delimiter)


def test_one_column_with_commas_in_its_texts_is_one_column(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", "内容\n路灯不亮，请来看看\n“楼上漏水，很久了”\n")
    assert [row.cells for row in rows] == [("路灯不亮，请来看看",), ("“楼上漏水，很久了”",)]


def test_cells_stay_as_they_are_and_rows_know_their_line(tmp_path: Path) -> None:
    content = '\n a ,b,b,\n" 1 ","one\r\ntwo",=1+1,007\n\nx\n,,,\n1,2,3,4,,\n'
    table = source(tmp_path / "a.csv", content)
    assert table.columns == (" a ", "b", "b", "")
    assert good(list(table.rows())) == [
        (3, (" 1 ", "one\r\ntwo", "=1+1", "007")), (6, ("x",)), (7, ("", "", "", "")), (8, ("1", "2", "3", "4"))
    ]  # fmt: skip


def test_rows_in_another_encoding_are_rejects_and_shown_as_they_were_meant(tmp_path: Path) -> None:
    content = "编号,内容\n1,漏水\n".encode() + "2,路灯不亮\n".encode("gb18030") + b"3,\xff\xff\n" + "4,吵\n".encode()
    rows = read(tmp_path / "a.csv", content)
    assert good(rows) == [(2, ("1", "漏水")), (5, ("4", "吵"))]
    assert bad(rows) == [(3, "『内容』列不是 UTF-8 编码"), (4, "『内容』列不是 UTF-8 编码")]
    assert [row.cells for row in rows if row.reason] == [("2", "路灯不亮"), ("3", "\\xff\\xff")]


def test_utf8_amid_gb18030_is_a_reject_and_no_nonsense(tmp_path: Path) -> None:
    content = LINES.encode("gb18030") + "A-3,夜里工地很吵,环境\r\n".encode() + "A-4,井盖坏了,市政\r\n".encode("gbk")
    rows = read(tmp_path / "a.csv", content)
    assert [number for number, _ in good(rows)] == [2, 3, 5]
    assert bad(rows) == [(4, "『内容』列不是 GB18030 编码")]
    assert rows[2].cells == ("A-3", "夜里工地很吵", "环境")


def test_half_a_character_of_utf16_is_a_reject(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", "a,b\n1,水\n2,\ud800x\n".encode("utf-16", "surrogatepass"))
    assert (good(rows), [number for number, _ in bad(rows)]) == ([(2, ("1", "水"))], [3])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2,3", "有 3 列，表头只有 2 列"),
        ('"x"y,2', "引号没有成对写"),
        ("1,\0", "『b』列有 NUL"),
        ('1,"2', "引号没有"),
    ],
)
def test_a_broken_row_costs_no_other(tmp_path: Path, line: str, reason: str) -> None:
    rows = read(tmp_path / "a.csv", f"a,b\n0,0\n{line}\n5,6\n7,8\n")
    assert good(rows) == [(2, ("0", "0")), (4, ("5", "6")), (5, ("7", "8"))]
    assert [number for number, _ in bad(rows)] == [3]
    assert reason in bad(rows)[0][1]


def test_what_remains_of_a_broken_row_is_no_row(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", 'a,b\n"他说\n"不管"就走了\n等着",leak\n3,4\n5\n')
    assert good(rows) == [(4, ('等着"', "leak")), (5, ("3", "4")), (6, ("5",))]
    assert [number for number, _ in bad(rows)] == [2, 3]


def test_an_open_quotation_mark_far_from_the_end_costs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "FIELD", 50_000)
    monkeypatch.setattr(file, "BLOCK", 10_000)
    rows = read(tmp_path / "a.csv", 'a,b\n1,"2\n' + "3,4\n" * 50_000)
    csv.field_size_limit(16 << 20)
    assert [number for number, _ in bad(rows)] == [2]
    assert len(good(rows)) == 50_000


def test_a_cell_over_the_limit_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "FIELD", 1000)
    rows = read(tmp_path / "a.csv", f"a,b\n1,{'x' * 1001}\n3,4\n")
    csv.field_size_limit(16 << 20)
    assert good(rows) == [(3, ("3", "4"))]
    assert "16 MiB" in bad(rows)[0][1]


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BLOCK", 1000)
    monkeypatch.setattr(file, "LINE", 5000)
    with pytest.raises(InputError, match="有一行超过"):
        source(tmp_path / "a.csv", "a,b\n" + "x," * 10_000)


def test_records_over_the_seams_of_blocks_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BLOCK", 64)
    texts = [f"第一行{number}\r\n" * (number % 9) + '他说"好"' for number in range(200)]
    made = io.StringIO(newline="")
    csv.writer(made).writerows([["编号", "内容"], *([str(number), text] for number, text in enumerate(texts))])
    rows = read(tmp_path / "a.csv", made.getvalue().encode("gb18030"))
    assert [row.cells for row in rows] == [(str(number), text) for number, text in enumerate(texts)]
    assert rows[9].number == 2 + sum(1 + number % 9 for number in range(9))


def test_ten_thousand_columns(tmp_path: Path) -> None:
    head = ",".join(f"c{place}" for place in range(10_000))
    rows = read(tmp_path / "a.csv", f"{head}\n{',' * 9_999}\n{',' * 9_999}x\n")
    assert [(len(row.cells), row.reason[:10]) for row in rows] == [(10_000, "")] * 2


@pytest.mark.parametrize("content", ["", "\n\n", " ,\n,,\n"])
def test_a_file_without_a_head_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match="文件是空的"):
        source(tmp_path / "a.csv", content)


@pytest.mark.parametrize("content", ['"编号\n1\n', "编号,\0\n".encode(), "编号,内容\n".encode("gbk") + LINES.encode()])
def test_a_broken_head_is_named(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(InputError, match="第 1 行：表头读不懂"):
        source(tmp_path / "a.csv", content)


def test_a_head_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "编号,内容\n") == []


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"a,b\n" * 3000), lambda path: path.unlink()])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(file, "BLOCK", 1000)
    path = tmp_path / "a.csv"
    table = source(path, "a,b\n" + "1,2\n" * 6000)
    rows = table.rows()
    list(islice(rows, 10))
    change(path)
    with pytest.raises(InputError, match=r"在读的时候变了|没有这个文件"):
        list(rows)
    with pytest.raises(InputError):
        table.digest()


def test_the_digest_is_that_of_the_bytes_and_reading_can_begin_again(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", LINES)
    assert table.digest() == hashlib.sha256(LINES.encode()).hexdigest()
    assert list(table.rows()) == list(table.rows())
    assert (table.share(), table.size(), table.name) == (1.0, 0, str(tmp_path / "a.csv"))


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2,
                         max_size=2), min_size=1))  # fmt: skip
def test_whatever_python_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    made = io.StringIO(newline="")
    csv.writer(made).writerows([["编号", "内容"], *cells])
    path = tmp_path_factory.mktemp("made") / "a.csv"
    path.write_bytes(made.getvalue().encode())
    assert [list(row.cells) for row in open_rows(path).rows()] == cells
