"""Tables as offices send them: every usual format is read, and what is broken is named."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import xlsxwriter

from corpora.tables import open_table, read_table, text
from nlp.errors import InputError

ROWS = [{"内容": "楼上漏水，\n天花板黄了", "分类": "leak"}, {"内容": '他说"不管"', "分类": "noise"}]
CSV = '内容,分类\r\n"楼上漏水，\n天花板黄了",leak\r\n"他说""不管""",noise\r\n'


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_table(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_csv_is_read_in_the_usual_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CSV.encode(encoding))
    assert read_table(path).to_list() == ROWS


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_is_read_with_any_line_ending(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(ending.join(["a,b", "1,2", "", "3,4"]).encode())
    assert read_table(path).to_list() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_suffix_in_capitals_is_known(tmp_path: Path) -> None:
    path = tmp_path / "A.CSV"
    path.write_text(CSV, encoding="utf-8", newline="")
    assert read_table(path).column_names == ["内容", "分类"]


def test_xlsx_is_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["内容", "分类"], *(list(row.values()) for row in ROWS)])
    assert read_table(path).to_list() == ROWS


def test_numbers_of_a_sheet_lose_no_digit_and_gain_none(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["工单号", "分", "空", "是"], [20261123001, 0.5, None, True]])
    assert read_table(path).to_list() == [{"工单号": "20261123001", "分": "0.5", "空": "", "是": "True"}]


def test_rows_above_and_between_that_are_blank_are_passed_over(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [[""], ["a", "b"], ["", " "], [1, 2]])
    assert read_table(path).to_list() == [{"a": "1", "b": "2"}]


def test_jsonl_is_read_with_missing_fields_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\ufeff{"a": "水", "b": null}\n\n{"a": 3, "c": 1.0}\r\n', encoding="utf-8")
    assert read_table(path).to_list() == [{"a": "水", "b": "", "c": ""}, {"a": "3", "b": "", "c": "1"}]


def test_a_separator_within_a_json_text_is_no_line_break(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"text": "一\u2028二\x85三"}, {"text": "四"}]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert read_table(path).to_list() == rows


def test_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([*ROWS, {"内容": None, "分类": "leak"}]), path)
    assert read_table(path).to_list() == [*ROWS, {"内容": "", "分类": "leak"}]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (3, "3"), (3.0, "3"), (3.5, "3.5"), ("3.0", "3.0"), (float("inf"), "inf")]
)
def test_a_cell_is_text(value: object, shown: str) -> None:
    assert text(value) == shown


def test_too_many_cells_in_a_row_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    assert "第 3 行" in refused(path)


def test_the_line_named_is_the_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"one\ntwo\nthree",2\n1,2,3\n', encoding="utf-8")
    assert "第 5 行" in refused(path)


def test_blank_cells_beyond_the_head_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2,,\n", encoding="utf-8")
    assert read_table(path).to_list() == [{"a": "1", "b": "2"}]


def test_too_few_cells_are_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1\n2,3\n", encoding="utf-8")
    assert read_table(path).to_list() == [{"a": "1", "b": ""}, {"a": "2", "b": "3"}]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label,text\n1,2,3\n", encoding="utf-8")
    assert "text" in refused(path)


@pytest.mark.parametrize("content", ['a,b\n1,2\n"open,2\n', 'a,b\n1,2\n"x"y,2\n', "a\n" + "x" * (17 * 1024 * 1024)])
def test_broken_csv_is_named_with_its_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    assert "行" in refused(path)


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', "NaNN", '{"a": 1}}'])
def test_broken_jsonl_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a": 1}}\n\n{line}\n', encoding="utf-8")
    assert "第 3 行" in refused(path)


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"PAR1 neither PAR1", b"a,b\n1,2\n"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused(path)


def test_an_encoding_that_is_neither_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n\xff\xff\xff,2\n")
    assert "GB18030" in refused(path)


@pytest.mark.parametrize(("name", "content"), [("a.csv", ""), ("a.csv", "a,b\n"), ("a.csv", "\n\n"), ("a.jsonl", "\n")])
def test_a_table_without_rows_is_refused(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert "没有数据行" in refused(path)
    assert ("只有表头" in refused(path)) == content.startswith("a")


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    assert "没有数据行" in refused(write_xlsx(tmp_path / "a.xlsx", []))


@pytest.mark.parametrize("name", ["a.doc", "a", "a.csv.zip", ".csv"])
def test_an_unknown_suffix_is_refused_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    assert ".parquet" in refused(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.jsonl", "a.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    refused(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.jsonl", "a.parquet"])
def test_a_folder_with_the_name_of_a_table_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    refused(tmp_path / name)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_is_read_with_any_usual_separator(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'内容{mark}分类\n"井盖坏了，{mark}，请修"{mark}road\n', encoding="gb18030")
    assert read_table(path).to_list() == [{"内容": f"井盖坏了，{mark}，请修", "分类": "road"}]


def test_commas_in_the_head_of_another_separator_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('"内容,全文";分类;时间\n水管漏水;leak;2024\n', encoding="utf-8")
    assert read_table(path).column_names == ["内容,全文", "分类", "时间"]


def test_the_unicode_text_of_excel_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("内容\t分类\n水管漏水\tleak\n", encoding="utf-16")
    assert read_table(path).to_list() == [{"内容": "水管漏水", "分类": "leak"}]


def test_every_row_knows_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\na,b\n"one\ntwo",2\n\n3,4\n', encoding="utf-8")
    assert open_table(path).lines == [3, 6]
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    assert open_table(lines).lines == [1, 3]


@pytest.mark.parametrize("suffix", [".xls", ".ET", ".xlsb", ".ods"])
def test_old_sheets_are_to_be_saved_anew(tmp_path: Path, suffix: str) -> None:
    assert "另存为 .xlsx" in refused(tmp_path / f"a{suffix}")


def test_half_a_character_and_a_list_of_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "灯坏了\\ud83d", "label": ["路灯"]}\n{"text": null, "label": []}\n', encoding="utf-8")
    table = open_table(path)
    assert (table.column("text"), table.column("label")) == (["灯坏了\ufffd", ""], ["路灯", ""])


def test_a_missing_file_and_a_folder_are_told_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    assert "没有这个文件" in refused(tmp_path / "a.csv")
    assert "是文件夹" in refused(tmp_path / "b.csv")
