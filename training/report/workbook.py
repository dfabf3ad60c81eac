"""The workbook of suspects: what may be labelled wrongly, with an empty column for the right label."""

from __future__ import annotations

from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from nlp.taxonomy import TASK_NAMES
from training.report.material import Material

HEAD = ("行", "现标签", "名称", "建议", "名称", "改为", "现标签的把握", "建议的把握", "脱敏后的开头")
WIDTHS = (8, 20, 16, 20, 16, 20, 14, 12, 90)
SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_workbook(given: Material, path: Path) -> None:
    """One sheet a task, the likeliest wrong label first; every string is a string, whatever it begins with."""
    with Workbook(path, SAFE) as book:
        bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
        for task in given.marked:
            sheet = book.add_worksheet(TASK_NAMES[task])
            sheet.freeze_panes(1, 0)
            for column, (title, width) in enumerate(zip(HEAD, WIDTHS, strict=True)):
                sheet.set_column(column, column, width, share if "把握" in title else None)
                sheet.write_string(0, column, title, bold)
            _fill(sheet, given, task)


def _fill(sheet: Worksheet, given: Material, task: str) -> None:
    codes, names = given.codes[task], given.names[task]
    for place, one in enumerate(given.marked[task], 1):
        excerpt = given.learned[one.row]
        sheet.write_number(place, 0, excerpt.line)
        words = (codes[one.given], names[one.given], codes[one.suggested], names[one.suggested])
        for column, word in enumerate(words, 1):
            sheet.write_string(place, column, word)
        sheet.write_number(place, 6, round(one.confidence, 4))
        sheet.write_number(place, 7, round(one.instead, 4))
        sheet.write_string(place, 8, excerpt.text)
