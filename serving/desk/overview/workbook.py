"""Workbooks: every figure, or a list of tickets, as XLSX; every string is a string, whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from nlp.errors import InputError
from serving.desk.overview.sheet import Cell, Sheet
from serving.desk.overview.tickets import Ticket
from serving.desk.overview.words import KINDS, Heard

SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
LETTERS = 32_767  # of a cell: what Excel can hold
WIDE, USUAL = 60, 14  # characters of a column
TICKET = (
    "编号",
    "决定号",
    "时间",
    "类别",
    "层级",
    "时限",
    "单位",
    "辖区",
    "渠道",
    "截止",
    "需人工",
    "红线",
    "反馈",
    "脱敏后的正文",
)
RISEN = {"word": "上升的词", "place": "上升的地点"}


class NoWorkbook(InputError):
    """这台机器上没有 xlsxwriter 这个包，导不出 XLSX；请装上 jiesu[backlog] 再试"""


def workbook(sheets: Iterable[Sheet], made: datetime) -> bytes:
    """A workbook of these tables, a sheet each; raises `NoWorkbook`."""
    try:
        from xlsxwriter import Workbook  # noqa: PLC0415 - an extra: who serves alone need not have it
    except ImportError as error:
        raise NoWorkbook from error
    out = io.BytesIO()
    with Workbook(out, SAFE) as book:
        book.set_properties({"created": made.replace(tzinfo=None)})
        bold, part = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 1)
            for column, title in enumerate(sheet.head):
                page.set_column(column, column, WIDE if title == TICKET[-1] else USUAL)
                page.write_string(0, column, title, bold)
            for place, row in enumerate(sheet.rows, 1):
                for column, cell in enumerate(row):
                    _write(page, (place, column), cell, part)
    return out.getvalue()


def _write(page: Any, place: tuple[int, int], cell: Cell, part: Any) -> None:
    if isinstance(cell.value, str):
        page.write_string(*place, cell.value[:LETTERS])
    elif cell.value is not None:
        page.write_number(*place, cell.value, *([part] if cell.part else []))


def risen(heard: Heard) -> Iterable[Sheet]:
    """What rose, as tables."""
    for kind in KINDS:
        rows = [
            [Cell(one.text), Cell(one.now), Cell(one.before), Cell(round(one.score, 2))] for one in heard.risen[kind]
        ]
        yield Sheet(RISEN[kind], ["词", "这一段", "前一段", "得分"], rows)


def tickets(found: Iterable[Ticket], zone: Any, said: dict[str, str]) -> Sheet:
    """Tickets as a table, in masked text."""
    return Sheet("工单", TICKET, [[Cell(value) for value in _told(one, zone, said)] for one in found])


def _told(one: Ticket, zone: Any, said: dict[str, str]) -> Sequence[str]:
    row, decision = one.row, one.decision
    at = datetime.fromtimestamp(row.at / 1000, zone)
    return (
        row.petition, row.id, f"{at:%Y-%m-%d %H:%M}", decision["category"]["name"], decision["tier"]["name"],
        decision["clock"]["name"], row.unit, row.area or "", row.channel, decision["route"]["due"][:16],
        "是" if row.needs_human else "否", row.red_line or "", said.get(one.verdict, ""),
        "\n".join(filter(None, (decision["masked_title"], decision["masked_text"]))),
    )  # fmt: skip
