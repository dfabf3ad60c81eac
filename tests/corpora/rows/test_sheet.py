"""Workbooks row by row: one sheet or several under one head, with the types that the cells have."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from corpora.rows.sheet import SheetSource
from nlp.errors import InputError

HEAD = ["编号", "内容"]


def written(path: Path, *sheets: list[list[object]], hidden: int | None = None) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for number, rows in enumerate(sheets):
            sheet = book.add_worksheet(f"第{number + 1}季")
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
            if number == hidden:
                sheet.hide()
    return path


def test_types_are_kept_and_blank_rows_are_none(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row("B2", ["编号", "内容", "时间", "办结"])
        sheet.write_row("B4", [17, "=1+1 不是公式", datetime(2024, 3, 5, 8, 1), True], None)
        sheet.write_string("C4", "=1+1 不是公式")
        sheet.write_row("B6", [0.5])
    table = SheetSource(tmp_path / "a.xlsx")
    assert (table.columns, table.sheet, table.size()) == (("编号", "内容", "时间", "办结"), "", 4)
    assert [tuple(row) for row in table.rows()] == [
        (4, (17.0, "=1+1 不是公式", datetime(2024, 3, 5, 8, 1), True), "", ""), (6, (0.5, "", "", ""), "", "")
    ]  # fmt: skip
    assert list(table.rows()) == list(table.rows())


def test_merged_cells_hold_for_every_row_they_cover(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([["", *HEAD, "单位"], ["", 1, "甲"], ["", 2, "乙"], ["", 3, "丙"], ["", 4, "丁"]]):
            sheet.write_row(row, 0, cells)
        sheet.merge_range("D2:D3", "城管")
        sheet.merge_range("D4:D5", "住建")
    assert [row.cells[2] for row in SheetSource(tmp_path / "a.xlsx").rows()] == ["城管", "城管", "住建", "住建"]


def test_all_sheets_under_one_head_are_one_table(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", [HEAD, ["A", "甲"]], [[]], [HEAD, ["B", "乙"]], [HEAD, ["C", "丙"]], hidden=3)
    rows = list(SheetSource(path).rows())
    assert [tuple(row) for row in rows] == [(2, ("A", "甲"), "", "第1季"), (2, ("B", "乙"), "", "第3季")]
    chosen = SheetSource(path, sheet="第4季")
    assert (chosen.sheet, next(chosen.rows()).cells) == ("第4季", ("C", "丙"))
    assert [row.cells[0] for row in SheetSource(path, first=True).rows()] == ["A"]


def test_sheets_under_other_heads_are_refused_with_their_names(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", [["填写说明"], ["一行一件"]], [HEAD, ["A", "甲"]])
    with pytest.raises(InputError, match=r"（『第1季』与『第2季』）；请用 --sheet 指定"):
        SheetSource(path)
    with pytest.raises(InputError, match=r"没有名为『第3季』的表；有：第1季、第2季"):
        SheetSource(path, sheet="第3季")


def test_cells_beyond_the_head_are_a_reject(tmp_path: Path) -> None:
    rows = list(SheetSource(written(tmp_path / "a.xlsx", [HEAD, ["A", "甲"], ["B", "乙", "", "注"]])).rows())
    assert [(row.cells, row.reason[:14]) for row in rows] == [
        (("A", "甲"), ""), (("B", "乙", "", "注"), "有 4 列，表头只有 2 列")
    ]  # fmt: skip


def test_formulas_without_their_value_are_known_by_column(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, HEAD)
        sheet.write_formula("B2", "=ROW()", None, 2)
        sheet.write_formula("C2", "=B2", None, "")
    assert SheetSource(tmp_path / "a.xlsx").formulas == {"内容": "C2"}


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_a_half_written_workbook_is_refused(tmp_path: Path, keep: int) -> None:
    path = written(tmp_path / "a.xlsx", [HEAD, ["A", "甲"]])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="不是可读的 XLSX"):
        SheetSource(path)


def test_a_workbook_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="文件是空的"):
        SheetSource(written(tmp_path / "a.xlsx", [[]]))


def test_a_workbook_that_changes_is_refused(tmp_path: Path) -> None:
    table = SheetSource(written(tmp_path / "a.xlsx", [HEAD, ["A", "甲"]]))
    written(tmp_path / "a.xlsx", [HEAD, ["A", "甲"], ["B", "乙"]])
    with pytest.raises(InputError, match="在读的时候变了"):
        list(table.rows())
    with pytest.raises(InputError, match="在读的时候变了"):
        table.digest()
