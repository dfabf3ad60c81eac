"""Workbooks: the first sheet of an XLSX that holds data, merged cells filled down, and what Excel left out named."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from nlp.errors import InputError

UNPACKED = 1 << 30  # bytes that all parts of a workbook may have together
CELLS = 20_000_000  # of the rectangle round all cells of a sheet, which calamine lays out in memory
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # the beginning of old Office files, and of locked new ones
# What zipfile, zlib, expat and calamine raise for a damaged or encrypted part, and for one that is not there.
BROKEN = (CalamineError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ElementTree.ParseError, KeyError)
LOCKED = "EncryptedPackage".encode("utf-16-le")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A cell that begins with a formula, and the first byte of its value: the order that the format prescribes.
FORMULA = re.compile(
    rb"<(?:\w+:)?c\b(?P<cell>[^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|.*?</(?:\w+:)?f>)\s*(?P<value><(?:\w+:)?v\b[^>]*>[^<])?",
    re.DOTALL,
)
PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')
TEXT = re.compile(rb'\bt="str"')
ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})\d')
Span = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a merged range, (row, column), counted from 0."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet.

    rows: each with its number in the sheet, from 1. name: empty where the workbook has no other sheet.
    formulas: column (from 0, within `rows`) → the first cell whose formula was saved without its value.
    """

    rows: Sequence[tuple[int, list[Any]]]
    name: str = ""
    formulas: dict[int, str] = field(default_factory=dict)

    @property
    def head(self) -> list[Any]:
        """The first row that holds anything."""
        return next((row for _, row in self.rows if _filled(row)), [])


def read_sheet(path: Path) -> Sheet:
    """The first visible sheet with data, or an empty one; raises `InputError` for what cannot be read."""
    _refuse_compound(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(path, archive)
            parts = _parts(archive)
            for part in parts.values():
                _refuse_vast(path, archive.read(part))
            with CalamineWorkbook.from_path(path) as book:
                return _first(path, book, archive, parts)
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
    rows = max(map(int, ROW.findall(xml)), default=0)
    columns = max(map(_column, set(CELL.findall(xml))), default=-1) + 1
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


def _first(path: Path, book: CalamineWorkbook, archive: zipfile.ZipFile, parts: dict[str, str]) -> Sheet:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    for each in sorted(sheets, key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible):
        sheet = book.get_sheet_by_name(each.name)
        if sheet.start is not None:
            xml = archive.read(parts[each.name]) if each.name in parts else b""
            return _read(path, sheet, xml, each.name if len(sheets) > 1 else "")
    return Sheet([])


def _read(path: Path, sheet: CalamineSheet, xml: bytes, name: str) -> Sheet:
    top, left = sheet.start or (0, 0)
    cells = sheet.to_python()
    spans = [((a - top, b - left), (c - top, d - left)) for (a, b), (c, d) in sheet.merged_cell_ranges or []]
    head = _head(cells, spans)
    crossing = next((span for span in spans if span[0][0] <= head <= span[1][0]), None)
    if crossing:
        (row, column), (last, end) = crossing
        place = f"{_cell(row + top, column + left)}:{_cell(last + top, end + left)}"
        raise InputError(place=f"{path} 第 {head + top + 1} 行", reason=f"表头有合并单元格 {place}，请改成一行表头")
    _fill(cells, spans)
    formulas: dict[int, str] = {}
    for row, column in _without_value(xml):
        formulas.setdefault(column - left, _cell(row, column))
    return Sheet(list(enumerate(cells, top + 1))[head:], name, formulas)


def _head(cells: Sequence[Sequence[Any]], spans: Sequence[Span]) -> int:
    """The row of the head: the first that is neither blank nor one title merged over several columns."""
    titles = {start for start, end in spans if end[1] > start[1]}
    for row, values in enumerate(cells):
        held = _filled(values)
        if held and not (len(held) == 1 and (row, held[0]) in titles):
            return row
    return 0


def _filled(row: Sequence[Any]) -> list[int]:
    return [column for column, value in enumerate(row) if str(value).strip()]


def _fill(cells: list[list[Any]], spans: Sequence[Span]) -> None:
    """A cell merged over several rows holds for each of them; calamine gives it to the first alone."""
    for (row, column), (last, _) in spans:
        if not (0 <= row < len(cells) and 0 <= column < len(cells[row])):
            continue
        for below in cells[row + 1 : last + 1]:
            below[column] = cells[row][column]


def _without_value(xml: bytes) -> list[tuple[int, int]]:
    """The cells (row, column, from 0) with a formula and no value; an empty text is a value."""
    found: list[tuple[int, int]] = []
    for match in FORMULA.finditer(xml):
        place = PLACE.search(match["cell"])
        if place and not match["value"] and not TEXT.search(match["cell"]):
            found.append((int(place[2]) - 1, _column(place[1])))
    return found


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _column(letters: bytes) -> int:
    """`A` → 0, `AA` → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _cell(row: int, column: int) -> str:
    """(0, 26) → `AA1`."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
