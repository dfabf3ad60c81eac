"""XLSX: the sheets of the input with their numbers and times, text as text cells that never calculate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from corpora.rows.cell import text
from nlp.errors import InputError
from serving.backlog.answers import HEADINGS, Answered
from serving.backlog.plan import Plan
from serving.backlog.sinks.record import FileSink, Record, answer_names

ROWS, COLUMNS, LETTERS = 1_048_576, 16_384, 32_767  # of a sheet, of a sheet, of a cell: what Excel can hold
EXACT = 10**15  # from here on a spreadsheet drops digits of a whole number
FORMATS = {"t": "yyyy-mm-dd hh:mm:ss", "d": "yyyy-mm-dd", "h": "hh:mm:ss", "s": "[h]:mm:ss"}
KINDS = {datetime: "t", date: "d", time: "h", timedelta: "s"}
FORBIDDEN = str.maketrans("[]:*?/\\", "（）：＊？／＼")  # in the name of a sheet
SHEET = "Sheet1"
LONGEST = 31  # characters of a sheet's name


class XlsxSink(FileSink):
    """Writes a workbook row by row, so that memory stays flat; a sheet that is full goes on in a further one."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._sheet = plan.writing.get("sheet") or SHEET
        self._created = plan.time.replace(tzinfo=None)
        self._names = (*self.columns, *answer_names(self.columns, HEADINGS))
        if len(self._names) > COLUMNS:
            raise InputError(place="输出", reason=f"XLSX 最多 {COLUMNS} 列，这里有 {len(self._names)} 列；请写成 CSV")

    @property
    def names(self) -> tuple[str, ...]:
        """The input's own names, and the headings of the answers."""
        return self._names

    def head(self) -> bytes:
        """Every sheet gets its head at the end."""
        return b""

    def records(self, answered: Sequence[Answered]) -> list[Record]:
        """Numbers and times as they are; raises `InputError` for a text that no cell can hold."""
        found = []
        for one in answered:
            if one.decision:
                answers = [("是" if value else "否") if isinstance(value, bool) else value for value in one.values]
                found.append(Record(one.row.number, one.row.sheet, [*self.padded(one.row.cells), *answers]))
                self._check(found[-1])
        return found

    def written(self, records: Sequence[Record]) -> bytes:
        """Lines of JSON: the sheet, then the cells; what JSON does not hold as a letter for its kind and a text."""
        return b"".join(
            orjson.dumps([record.sheet, list(map(_told, record.cells))], option=orjson.OPT_APPEND_NEWLINE)
            for record in records
        )

    def finish(self, spool: Path, out: Path) -> None:
        """Write the workbook; the spool stays."""
        options = {"constant_memory": True, "tmpdir": str(out.parent), "use_zip64": True}
        book = xlsxwriter.Workbook(str(out), options)
        book.set_properties({"created": self._created})  # else two runs would differ
        pages = _Pages(book, (*self._names, *self.further), self._sheet)
        try:
            with spool.open("rb") as lines:
                for line in lines:
                    pages.add(*orjson.loads(line))
            pages.page("")
            book.close()
        except XlsxWriterException as error:
            raise InputError(place=out, reason=f"写不了（{error}）") from error

    def _check(self, record: Record) -> None:
        for name, value in zip(self._names, record.cells, strict=True):
            if isinstance(value, str) and len(value) > LETTERS:
                place = f"第 {record.number} 行，列“{name}”"
                raise InputError(place=place, reason=f"有 {len(value)} 字，XLSX 的一格最多 {LETTERS} 字；请写成 CSV")


class _Pages:
    """The sheets of a workbook in the order in which they come."""

    def __init__(self, book: xlsxwriter.Workbook, names: Sequence[str], usual: str) -> None:
        self._book = book
        self._usual = usual
        self._names = names
        self._formats = {kind: book.add_format({"num_format": shown}) for kind, shown in FORMATS.items()}
        self._bold = book.add_format({"bold": True})
        self._pages: dict[str, tuple[Worksheet, int]] = {}
        self._taken: set[str] = set()

    def add(self, sheet: str, cells: Sequence[Any]) -> None:
        """Write a row below the last one of its sheet."""
        page, row = self.page(sheet)
        for column, value in enumerate(cells):
            _write(page, row, column, value, self._formats)
        self._pages[sheet] = page, row + 1

    def page(self, sheet: str) -> tuple[Worksheet, int]:
        """Where the next row of a sheet goes; for no name: any sheet, for a workbook must have one."""
        held = self._pages.get(sheet) or (next(iter(self._pages.values()), None) if not sheet else None)
        if held and held[1] < ROWS:
            return held
        page = self._book.add_worksheet(self._free(sheet or self._usual))
        for column, name in enumerate(self._names):
            page.write_string(0, column, name, self._bold)
        page.freeze_panes(1, 0)
        self._pages[sheet] = page, 1
        return page, 1

    def _free(self, sheet: str) -> str:
        """A name that Excel allows and no other sheet has."""
        safe = sheet.translate(FORBIDDEN).strip("'") or SHEET
        name = next(name for name in _numbered(safe) if name.casefold() not in self._taken)
        self._taken.add(name.casefold())
        return name


def _numbered(name: str) -> Iterator[str]:
    yield name[:LONGEST]
    number = 2
    while True:
        ending = f"（{number}）"
        yield name[: LONGEST - len(ending)] + ending
        number += 1


def _told(value: Any) -> Any:
    """A cell for JSON: text, numbers and truth as they are, times as [kind, text], all else as text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return value if isfinite(value) and (isinstance(value, float) or abs(value) < EXACT) else str(value)
    kind = KINDS.get(type(value), "")
    if kind == "s":
        return [kind, value.total_seconds()]
    if not kind or getattr(value, "tzinfo", None) or getattr(value, "year", 1900) < 1900:
        return text(value)  # what a spreadsheet has no form for
    return [kind, value.isoformat()]


def _write(page: Worksheet, row: int, column: int, value: Any, formats: dict[str, Format]) -> None:
    """One cell, by the method of its kind: `write` would make formulas and links of text."""
    if isinstance(value, str):
        if value:
            page.write_string(row, column, value)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        page.write_number(row, column, value)
    elif isinstance(value, list):
        page.write_datetime(row, column, _time(*value), formats[value[0]])


def _time(kind: str, told: Any) -> datetime | date | time | timedelta:
    if kind == "s":
        return timedelta(seconds=told)
    readers: dict[str, Callable[[str], datetime | date | time]] = {
        "t": datetime.fromisoformat,
        "d": date.fromisoformat,
        "h": time.fromisoformat,
    }
    return readers[kind](told)
