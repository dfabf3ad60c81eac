"""Workbooks: the sheets of an XLSX that hold data, merged cells filled down, and what Excel left out named."""

from __future__ import annotations

import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from corpora.worksheet import cell_name, reach, without_value
from nlp.errors import InputError

UNPACKED = 1 << 30  # bytes that all parts of a workbook may have together
CELLS = 20_000_000  # of the rectangle round all cells of a sheet, which calamine lays out in memory
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # the beginning of old Office files, and of locked new ones
# What zipfile, zlib, expat and calamine raise for a damaged or encrypted part, and for one that is not there.
BROKEN = (CalamineError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ElementTree.ParseError, KeyError)
LOCKED = "EncryptedPackage".encode("utf-16-le")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Span = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a merged range, (row, column), counted from 0."""


class Sheet:
    """The cells of a sheet, which calamine has laid out in memory; each row becomes Python's own only as it is read.

    name: empty where the workbook has no other sheet. formulas: column (from 0, within
    `rows`) → the first cell whose formula was saved without its value.
    """

    def __init__(self, path: Path, sheet: CalamineSheet, xml: bytes, name: str) -> None:
        self.name = name
        self._cells = sheet
        left = (sheet.start or (0, 0))[1]  # where calamine's rows begin; they are numbered from the top of the sheet
        spans = sorted(sheet.merged_cell_ranges or [])
        self._spans: list[Span] = [((a, b - left), (c, d - left)) for (a, b), (c, d) in spans]
        self._top = self._found()
        self._refuse_merged(path, left)
        self.formulas: dict[int, str] = {}
        for row, column in without_value(xml):
            self.formulas.setdefault(column - left, cell_name(row, column))

    @property
    def head(self) -> list[Any]:
        """The first row that holds anything, without the blank cells at its end."""
        cells = next((cells for _, cells in self.rows()), [])
        return cells[: max(_filled(cells), default=-1) + 1]

    @property
    def height(self) -> int:
        """How many rows there are below the head, blank ones too."""
        return max(0, (self._cells.end or (0, 0))[0] - self._top)

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """The rows that are not blank, from the head on, merged cells filled down, with their number from 1."""
        for row, cells in enumerate(_filled_down(self._cells.iter_rows(), self._spans)):
            if row >= self._top and any(cell != "" and str(cell).strip() for cell in cells):
                yield row + 1, cells

    def _found(self) -> int:
        """The row of the head: the first that is neither blank nor one title merged over several columns."""
        titles = {start for start, end in self._spans if end[1] > start[1]}
        for row, cells in enumerate(self._cells.iter_rows()):
            held = _filled(cells)
            if held and not (len(held) == 1 and (row, held[0]) in titles):
                return row
        return 0

    def _refuse_merged(self, path: Path, left: int) -> None:
        crossing = next((span for span in self._spans if span[0][0] <= self._top <= span[1][0]), None)
        if crossing:
            (row, column), (last, end) = crossing
            reason = f"表头有合并单元格 {cell_name(row, column + left)}:{cell_name(last, end + left)}，请改成一行表头"
            raise InputError(place=f"{path} 第 {self._top + 1} 行", reason=reason)


def read_sheets(path: Path, *, name: str = "", first: bool = False) -> list[Sheet]:
    """The visible sheets with data (else the first hidden one), or one by its name, or the first alone.

    Raises `InputError` for what cannot be read; no sheet with data is an empty list.
    """
    _refuse_compound(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(path, archive)
            parts = _parts(archive)
            for part in parts.values():
                _refuse_vast(path, archive.read(part))
            with CalamineWorkbook.from_path(path) as book:
                found = _sheets(path, book, archive, parts, name)
                return list(islice(found, 1 if first or name else None))
    except BROKEN as error:
        raise InputError(place=path, reason=f"不是可读的 XLSX（{error}），请用 Excel 或 WPS 打开后另存") from error


def _refuse_compound(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(COMPOUND)) != COMPOUND:
            return
        locked = LOCKED in file.read()
    if locked:
        raise InputError(place=path, reason="文件有密码，请用 Excel 或 WPS 打开，去掉密码后另存")
    raise InputError(place=path, reason="其实是旧的 .xls 格式，请用 Excel 或 WPS 打开，另存为 .xlsx")


def _refuse_bomb(path: Path, archive: zipfile.ZipFile) -> None:
    """Sizes first, as the directory gives them; then that no part is larger than it says."""
    unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > UNPACKED:
        reason = f"解压后有 {unpacked / 2**30:.1f} GiB，超过 1 GiB，不读；请分成几个文件，或另存为 CSV"
        raise InputError(place=path, reason=reason)
    broken = archive.testzip()
    if broken:
        raise InputError(place=path, reason=f"文件损坏（{broken}），请重新导出")


def _refuse_vast(path: Path, xml: bytes) -> None:
    """One stray cell far below the others would take all memory."""
    rows, columns = reach(xml, CELLS)
    if rows * columns > CELLS:
        reason = f"表格大到 {rows} 行 × {columns} 列；请删去远处多余的单元格，或另存为 CSV"
        raise InputError(place=path, reason=reason)


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The worksheets by name → the part of the archive that holds each."""
    # expat, since 2.4.1, refuses entities that multiply; `_refuse_bomb` bounds the rest.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    found = {
        sheet.get("name", ""): targets.get(sheet.get(RELATION), "").removeprefix("/xl/")
        for sheet in book.iter()
        if _tag(sheet) == "sheet"
    }
    return {name: f"xl/{target}" for name, target in found.items() if target.startswith("worksheets/")}


def _sheets(
    path: Path, book: CalamineWorkbook, archive: zipfile.ZipFile, parts: dict[str, str], name: str
) -> Iterator[Sheet]:
    """The sheets that hold anything, in order: the visible ones, or where there are none the first hidden one."""
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if name and name not in {sheet.name for sheet in sheets}:
        there = "、".join(sheet.name for sheet in sheets)
        raise InputError(place=path, reason=f"没有名为『{name}』的表；有：{there}")
    any_seen = False
    for each in sorted(sheets, key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible):
        seen = each.visible == SheetVisibleEnum.Visible
        if (each.name != name) if name else (any_seen and not seen):
            continue
        cells = book.get_sheet_by_name(each.name)
        if cells.start is not None:
            any_seen = True
            xml = archive.read(parts[each.name]) if each.name in parts else b""
            yield Sheet(path, cells, xml, each.name if len(sheets) > 1 else "")


def _filled(row: Sequence[Any]) -> list[int]:
    return [column for column, value in enumerate(row) if str(value).strip()]


def _filled_down(rows: Iterable[list[Any]], spans: Sequence[Span]) -> Iterator[list[Any]]:
    """A cell merged over several rows holds for each of them; calamine gives it to the first alone."""
    waiting = deque(span for span in spans if span[1][0] > span[0][0])
    held: dict[int, tuple[int, Any]] = {}  # column → the last row it holds for, and the value
    for row, cells in enumerate(rows):
        held = {column: (last, value) for column, (last, value) in held.items() if row <= last}
        for column, (_, value) in held.items():
            cells[column] = value
        while waiting and waiting[0][0][0] <= row:
            (_, column), (last, _) = waiting.popleft()
            if 0 <= column < len(cells):
                held[column] = (last, cells[column])
        yield cells


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
