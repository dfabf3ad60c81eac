"""Rows of a workbook: one sheet, or all sheets under the same head, cells with the types they have there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpora.rows.cell import is_blank, text
from corpora.rows.file import File, opening
from corpora.rows.row import Row
from corpora.workbook import Sheet, read_sheets
from nlp.errors import InputError


class SheetSource:
    """An XLSX file: all its visible sheets with data, which must have one head; or the one that is named.

    first: the first sheet with data alone. sheet: which one that was, where the workbook has several.
    formulas: column → the first of its cells whose formula was saved without its value, which reads as empty.
    Raises `InputError` for a workbook that cannot be read, or has no data, or several heads.
    """

    def __init__(self, path: Path, *, sheet: str = "", first: bool = False) -> None:
        self.name = str(path)
        self._file = File(path)
        with opening(path):
            self._sheets = read_sheets(path, name=sheet, first=first)
        self._file.refuse_changed()
        if not self._sheets:
            raise InputError(place=path, reason="文件是空的，没有数据行")
        self.columns = _columns(self._sheets[0])
        self._refuse_others()
        self.sheet = self._sheets[0].name if len(self._sheets) == 1 else ""
        self.formulas = {
            self.columns[place]: cell
            for sheet_ in reversed(self._sheets)
            for place, cell in sheet_.formulas.items()
            if place < len(self.columns)
        }

    def rows(self) -> Iterator[Row]:
        """The rows of every sheet that are not blank."""
        width = len(self.columns)
        for sheet in self._sheets:
            rows = sheet.rows()
            next(rows)  # the head
            for number, cells in rows:
                reason = _surplus(cells, width) if len(cells) > width else ""
                yield Row(number, tuple(cells if reason else cells[:width]), reason, sheet.name)
        self._file.refuse_changed()

    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._file.digest()

    def size(self) -> int:
        """How many rows there are at most: blank ones are counted."""
        return sum(sheet.height for sheet in self._sheets)

    def _refuse_others(self) -> None:
        """Several heads are several tables."""
        other = next((sheet for sheet in self._sheets if _bare(sheet) != _bare(self._sheets[0])), None)
        if other:
            there = "、".join(f"『{sheet.name}』" for sheet in self._sheets)
            reason = (
                f"有几张表，表头不同（『{self._sheets[0].name}』与『{other.name}』）；请用 --sheet 指定一张：{there}"
            )
            raise InputError(place=self.name, reason=reason)


def _columns(sheet: Sheet) -> tuple[str, ...]:
    return tuple(map(text, sheet.head))


def _bare(sheet: Sheet) -> list[str]:
    return [name.strip() for name in _columns(sheet)]


def _surplus(cells: Sequence[Any], width: int) -> str:
    """What is wrong with a row that has more cells than the head; blank ones do no harm."""
    last = max((place for place in range(width, len(cells)) if not is_blank(cells[place])), default=-1) + 1
    return f"有 {last} 列，表头只有 {width} 列；表头要在第一行，多出的格请删去" if last else ""
