"""Tables of labelled petitions: CSV, XLSX, JSONL and Parquet as a Hugging Face `datasets.Dataset`."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import datasets
import pyarrow.lib
import pyarrow.parquet

from corpora.workbook import read_sheet
from nlp.errors import InputError
from nlp.reader import SURROGATES
from nlp.text import REPLACEMENT

ENCODINGS = ("utf-8-sig", "gb18030")  # tried in this order; GB18030 reads nearly every sequence of bytes
SEPARATORS = (",", ";", "\t")  # the first wins where the head says nothing
OLD = (".xls", ".et", ".xlsb", ".ods")  # formats of spreadsheets that are saved anew instead
UNREAD: Mapping[type[OSError], str] = {
    FileNotFoundError: "打不开：没有这个文件，请检查路径和文件名",
    IsADirectoryError: "打不开：是文件夹，不是文件",
    PermissionError: "打不开：没有读它的权限",
}
csv.field_size_limit(16 * 1024 * 1024)
Numbered = Iterable[tuple[int, dict[str, Any]]]
"""Rows by column, each with the line on which it begins."""


@dataclass(frozen=True)
class Table:
    """All rows of a source as strings, columns in its order.

    lines: where each row begins: the line of a text file, the row of a sheet, else the number of the row, from 1.
    sheet: the sheet that was read, where the workbook has several.
    formulas: column → the first of its cells whose formula was saved without its value.
    """

    rows: datasets.Dataset
    lines: Sequence[int]
    sheet: str = ""
    formulas: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> list[str]:
        """All cells of a column at once; one by one, `datasets` takes 40 µs for each."""
        return list(self.rows[name][:])


def read_table(path: Path) -> datasets.Dataset:
    """The rows of `open_table`, for callers that name no lines."""
    return open_table(path).rows


def open_table(path: Path) -> Table:
    """Read a file by its suffix; raises `InputError` with file and row."""
    suffix = path.suffix.lower()
    if suffix in OLD:
        raise InputError(place=path, reason=f"不读 {suffix} 格式，请用 Excel 或 WPS 打开，另存为 .xlsx")
    reader = READERS.get(suffix)
    if reader is None:
        raise InputError(place=path, reason=f"不认识的文件类型，可用：{'、'.join(READERS)}")
    try:
        return reader(path)
    except OSError as error:
        told = next((words for kind, words in UNREAD.items() if isinstance(error, kind)), f"打不开（{error.strerror}）")
        raise InputError(place=path, reason=told) from error


def table_of(place: object, rows: Numbered, sheet: str = "", formulas: Mapping[str, str] | None = None) -> Table:
    """The rows as a table of strings; raises `InputError` naming `place` when there are none."""
    numbered = list(rows)
    if not numbered:
        raise InputError(place=place, reason="文件是空的，没有数据行")
    names = list(dict.fromkeys(name for _, row in numbered for name in row))
    strings = {name: [text(row.get(name)) for _, row in numbered] for name in names}
    return Table(datasets.Dataset.from_dict(strings), [line for line, _ in numbered], sheet, formulas or {})


def text(value: Any) -> str:
    """A cell as text: nothing is empty, whole numbers lose the `.0` of spreadsheets, a list of one is what it holds.

    Half a character, which JSON can hold and no file can, becomes U+FFFD.
    """
    if isinstance(value, list) and len(value) < 2:
        value = value[0] if value else None
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return SURROGATES.sub(REPLACEMENT, str(value))


def decoded(path: Path) -> str:
    """The text of a file in UTF-8 (with or without a mark), GB18030, or UTF-16 with a mark."""
    raw = path.read_bytes()
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's “Unicode text”
    for encoding in ("utf-16",) if marked else ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(place=path, reason="既不是 UTF-8 也不是 GB18030 编码，请另存为 UTF-8 的 CSV")


def _jsonl(path: Path) -> Table:
    return table_of(path, _objects(path))


def _objects(path: Path) -> Numbered:
    for number, line in enumerate(decoded(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(place=f"{path} 第 {number} 行", reason=f"不是 JSON（{error}）") from error
        if not isinstance(row, dict):
            raise InputError(place=f"{path} 第 {number} 行", reason="不是 JSON 对象")
        yield number, row


def _csv(path: Path) -> Table:
    content = decoded(path)
    rows = csv.reader(io.StringIO(content, newline=""), strict=True, delimiter=_separator(content))
    try:
        return table_of(path, _named(path, _numbered(rows)))
    except csv.Error as error:
        raise InputError(place=f"{path} 第 {rows.line_num} 行", reason=f"不是合格的 CSV（{error}）") from error


def _separator(content: str) -> str:
    """What splits the head into the most columns."""
    head = content.lstrip("\r\n \t").splitlines()[:1]
    return max(SEPARATORS, key=lambda mark: len(next(csv.reader(head, delimiter=mark), [])))


def _numbered(rows: Any) -> Iterable[tuple[int, list[Any]]]:
    """Each row with the line of the file on which it begins."""
    line = 1
    for row in rows:
        yield line, row
        line = rows.line_num + 1


def _xlsx(path: Path) -> Table:
    sheet = read_sheet(path)
    rows = list(_named(f"{path}『{sheet.name}』" if sheet.name else path, sheet.rows))
    head = [text(cell).strip() for cell in sheet.head]
    formulas = {head[column]: cell for column, cell in sheet.formulas.items() if column < len(head)}
    return table_of(path, rows, sheet.name, formulas)


def _parquet(path: Path) -> Table:
    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except pyarrow.lib.ArrowInvalid as error:
        raise InputError(place=path, reason=f"不是可读的 Parquet（{error}）") from error
    return table_of(path, enumerate(rows, 1))


def _named(place: object, rows: Iterable[tuple[int, list[Any]]]) -> Numbered:
    """The rows under their head, blank rows left out; raises `InputError` with the line that is wrong."""
    names: list[str] = []
    found = False
    for line, row in rows:
        cells = _cells(row)
        if not cells:
            continue
        if not names:
            names = _head(place, line, [cell.strip() for cell in cells])
            continue
        if len(cells) > len(names):
            reason = f"有 {len(cells)} 列，表头只有 {len(names)} 列；表头要在第一行，多出的格请删去"
            raise InputError(place=f"{place} 第 {line} 行", reason=reason)
        found = True
        yield line, dict(zip_longest(names, cells, fillvalue=""))
    if names and not found:
        raise InputError(place=place, reason="只有表头，没有数据行")


def _cells(row: list[Any]) -> list[str]:
    """A row as text, without the blank cells at its end."""
    cells = [text(cell) for cell in row]
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _head(place: object, line: int, names: list[str]) -> list[str]:
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise InputError(place=f"{place} 第 {line} 行", reason=f"有两列都叫 {twice}，请改掉其中一个")
    return names


READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
