"""Tables of labelled petitions: CSV, XLSX, JSONL and Parquet as a Hugging Face `datasets.Dataset`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import pyarrow.lib
import pyarrow.parquet
from python_calamine import CalamineError, CalamineWorkbook

from nlp.errors import InputError

ENCODINGS = ("utf-8-sig", "gb18030")  # tried in this order; GB18030 reads nearly every sequence of bytes
csv.field_size_limit(16 * 1024 * 1024)


def read_table(path: Path) -> datasets.Dataset:
    """All rows as strings, columns in the file's order; raises `InputError` with file and row."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(place=path, reason=f"不认识的文件类型，可用：{'、'.join(READERS)}")
    try:
        rows = list(reader(path))
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error
    if not rows:
        raise InputError(place=path, reason="没有数据行")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return datasets.Dataset.from_dict({name: [text(row.get(name)) for row in rows] for name in names})


def text(value: Any) -> str:
    """A cell as text: nothing is empty, whole numbers lose the `.0` that spreadsheets give them."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def decoded(path: Path) -> str:
    """The text of a file in UTF-8 (with or without a mark) or GB18030."""
    raw = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(place=path, reason="既不是 UTF-8 也不是 GB18030 编码")


def _jsonl(path: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(decoded(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(place=f"{path} 第 {number} 行", reason=f"不是 JSON（{error}）") from error
        if not isinstance(row, dict):
            raise InputError(place=f"{path} 第 {number} 行", reason="不是 JSON 对象")
        yield row


def _csv(path: Path) -> Iterable[dict[str, Any]]:
    rows = csv.reader(io.StringIO(decoded(path), newline=""), strict=True)
    try:
        yield from _named(path, _numbered(rows))
    except csv.Error as error:
        raise InputError(place=f"{path} 第 {rows.line_num} 行", reason=f"不是合格的 CSV（{error}）") from error


def _numbered(rows: Any) -> Iterable[tuple[int, list[Any]]]:
    """Each row with the line of the file on which it begins."""
    line = 1
    for row in rows:
        yield line, row
        line = rows.line_num + 1


def _xlsx(path: Path) -> Iterable[dict[str, Any]]:
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    except (CalamineError, IndexError) as error:
        raise InputError(place=path, reason=f"不是可读的 XLSX（{error}）") from error
    return _named(path, enumerate(sheet.to_python(), 1))


def _parquet(path: Path) -> Iterable[dict[str, Any]]:
    try:
        return list(pyarrow.parquet.read_table(path).to_pylist())
    except pyarrow.lib.ArrowInvalid as error:
        raise InputError(place=path, reason=f"不是可读的 Parquet（{error}）") from error


def _named(path: Path, rows: Iterable[tuple[int, list[Any]]]) -> Iterable[dict[str, Any]]:
    """The rows under their head, blank rows left out; raises `InputError` with the line that is wrong."""
    names: list[str] = []
    for line, row in rows:
        cells = [text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if not names:
            names = _head(path, line, [cell.strip() for cell in cells])
            continue
        if len(cells) > len(names):
            raise InputError(place=f"{path} 第 {line} 行", reason=f"有 {len(cells)} 列，表头只有 {len(names)} 列")
        yield dict(zip(names, cells, strict=False))


def _head(path: Path, line: int, names: list[str]) -> list[str]:
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise InputError(place=f"{path} 第 {line} 行", reason=f"有两列都叫 {twice}")
    return names


READERS: dict[str, Callable[[Path], Iterable[dict[str, Any]]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
