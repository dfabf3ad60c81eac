"""Workbooks as offices send them: merged cells, formulas, several sheets, and what must not be opened."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from corpora import workbook
from corpora.tables import open_table
from corpora.workbook import COMPOUND, LOCKED, read_sheets
from nlp.errors import InputError


def written(path: Path, *fill: Callable[[Worksheet], object]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for one in fill:
            one(book.add_worksheet())
    return path


def rows(*values: list[object], top: int = 0, left: int = 0) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for number, row in enumerate(values):
            sheet.write_row(top + number, left, row)

    return fill


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        open_table(path)
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_table_may_begin_anywhere_and_rows_keep_their_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", rows(["内容", "分类"], ["漏水", "leak"], [], ["吵", "noise"], top=3, left=2))
    table = open_table(path)
    assert table.rows.to_list() == [{"内容": "漏水", "分类": "leak"}, {"内容": "吵", "分类": "noise"}]
    assert table.lines == [5, 7]
    assert not table.sheet


def test_a_merged_label_holds_for_every_row_it_covers(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows(["内容", "分类"], ["甲"], ["乙"], ["丙"], ["丁", "noise"], top=1, left=1)(sheet)
        sheet.merge_range(2, 2, 4, 2, "leak")

    table = open_table(written(tmp_path / "a.xlsx", fill))
    assert table.rows["分类"][:] == ["leak", "leak", "leak", "noise"]
    assert table.lines == [3, 4, 5, 6]


def test_a_title_merged_over_the_table_is_not_its_head(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows(["内容", "分类"], ["甲", "leak"], top=1)(sheet)
        sheet.merge_range(0, 0, 0, 1, "云溪区工单汇总")

    table = open_table(written(tmp_path / "a.xlsx", fill))
    assert (table.rows.to_list(), table.lines) == ([{"内容": "甲", "分类": "leak"}], [3])


def test_a_head_with_merged_cells_is_refused(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows([None, "一级", "二级"], ["甲", "住房", "漏水"], top=1)(sheet)
        sheet.merge_range(0, 0, 1, 0, "内容")
        sheet.merge_range(0, 1, 0, 2, "分类")

    told = refused(written(tmp_path / "a.xlsx", fill))
    assert "第 1 行" in told
    assert "A1:A2" in told or "B1:C1" in told


def test_a_formula_without_its_value_is_known_by_its_cell(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows(["内容", "分类", "序号"], ["甲"], ["乙"])(sheet)
        sheet.write_formula("B2", '="le"&"ak"', None, "leak")
        sheet.write_formula("B3", '="no"&"ise"', None, "")
        sheet.write_formula("C2", "=ROW()", None, 2)

    path = written(tmp_path / "a.xlsx", fill)
    table = open_table(path)
    assert table.formulas == {"分类": "B3"}
    assert table.rows["分类"][:] == ["leak", ""]


def test_the_first_sheet_with_data_is_read_and_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", rows(), rows(["内容"], ["甲"]), rows(["内容"], ["乙"]))
    assert (open_table(path).sheet, open_table(path).rows["内容"][:]) == ("Sheet2", ["甲"])


def test_a_hidden_sheet_waits_for_the_visible_ones(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        hidden, seen = book.add_worksheet("码表"), book.add_worksheet("工单")
        rows(["内容"], ["甲"])(hidden)
        rows(["内容"], ["乙"])(seen)
        seen.activate()
        hidden.hide()
    assert open_table(tmp_path / "a.xlsx").sheet == "工单"


def test_a_locked_workbook_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(COMPOUND + bytes(2000) + LOCKED + bytes(500))
    assert "密码" in refused(path)


def test_an_old_workbook_under_a_new_name_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(COMPOUND + bytes(2000))
    assert "另存为 .xlsx" in refused(path)


def test_a_bomb_is_refused_by_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.xlsx", rows(["内容"], ["甲"]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", bytes(3_000_000))
    monkeypatch.setattr(workbook, "UNPACKED", 2_000_000)
    assert "1 GiB" in refused(path)


def test_a_part_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<a/>" * 500)
    raw = path.read_bytes()
    path.write_bytes(raw.replace((2000).to_bytes(4, "little"), (4).to_bytes(4, "little")))
    assert "损坏" in refused(path)


def test_a_stray_cell_far_away_does_not_take_all_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", lambda sheet: rows(["内容"], ["甲"])(sheet) or sheet.write("XFD1048576", "x"))
    assert "16384 列" in refused(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"])
def test_a_workbook_that_lacks_a_part_is_refused(tmp_path: Path, part: str) -> None:
    whole = written(tmp_path / "whole.xlsx", rows(["内容"], ["甲"]))
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
    assert "不是可读的 XLSX" in refused(tmp_path / "a.xlsx")


def test_a_sheet_without_data_is_none(tmp_path: Path) -> None:
    assert read_sheets(written(tmp_path / "a.xlsx", rows())) == []
