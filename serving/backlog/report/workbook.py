"""The workbook: the sample with a column to fill in, and every table of the page in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from xlsxwriter import Workbook

from serving.backlog.answers import cell
from serving.backlog.report.material import Material
from serving.backlog.sample import Drawn

RIGHT, WRONG = "对", "错"
VERDICT, INSTEAD, GROUP, NEEDS = "对/错", "应为", "组", "需人工"
GROUPS = ("有改动", "没有改动")
HEAD = (VERDICT, INSTEAD, "旧标签", "新类别", "脱敏后的正文", "工单", "把握", NEEDS, "理由", "承办单位", "截止",
        "编码", "行", "工作表", GROUP, "计划")  # fmt: skip
WIDTHS = {
    "脱敏后的正文": 80,
    "理由": 40,
    "新类别": 22,
    "旧标签": 22,
    INSTEAD: 20,
    "工单": 18,
    "承办单位": 18,
    "截止": 26,
}
SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
Rows = Iterable[Sequence[str | int | float]]


def write_workbook(given: Material, out: BinaryIO) -> None:
    """Every string is a string, whatever it begins with; the same report gives the same bytes."""
    with Workbook(out, SAFE) as book:
        book.set_properties({"created": given.plan.time.replace(tzinfo=None)})
        _sheet(book, "抽样核对", HEAD, _review(given))
        if rows := len(given.tally.sample) + len(given.tally.kept):
            sheet = book.get_worksheet_by_name("抽样核对")
            sheet.data_validation(1, 0, rows, 0, {"validate": "list", "source": [RIGHT, WRONG]})
        for name, head, contents in _tables(given):
            _sheet(book, name, head, contents)


def _review(given: Material) -> Rows:
    for group, drawn in zip(GROUPS, (given.tally.sample, given.tally.kept), strict=True):
        for one in drawn:
            yield ("", "", *_told(one), group, given.plan.id[:12])


def _told(one: Drawn) -> Sequence[str | int | float]:
    return (one.old, one.name, one.text, one.id, one.confidence, cell(one.needs_human), one.reasons, one.unit, one.due,
            one.code, one.number, one.sheet)  # fmt: skip


def _tables(given: Material) -> Iterable[tuple[str, Sequence[str], Rows]]:
    yield "去向", ("旧标签", "新类别", "编码", "行", "需人工", "平均把握", "变否"), (
        (one.old, one.name, one.code, one.rows, one.human, round(one.confidence, 4), "不变" if one.same else "变")
        for one in given.changes
    )  # fmt: skip
    yield "单位", ("单位", "行", "需人工"), given.units
    yield "换单位", ("原单位", "新单位", "行"), ((*pair, rows) for pair, rows in given.handed)
    yield "新旧对照", ("旧标签", "行", "可靠", "多半是", "比例", "其次", "比例 2", "再次", "比例 3"), (
        (one.old, one.rows, round(one.reliability, 4), *(value for pair in one.likely for value in pair))
        for one in given.crossings
    )  # fmt: skip
    yield "不认识的旧标签", ("旧标签", "行"), given.unknown


def _sheet(book: Workbook, name: str, head: Sequence[str], rows: Rows) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for column, title in enumerate(head):
        sheet.set_column(column, column, WIDTHS.get(title, 12))
        sheet.write_string(0, column, title, bold)
    for place, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(place, column, value)
            else:
                sheet.write_number(place, column, value)
