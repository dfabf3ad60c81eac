"""Tables of labelled petitions: CSV, XLSX, JSONL and Parquet as a Hugging Face `datasets.Dataset`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import datasets

from corpora.rows.cell import is_blank, text
from corpora.rows.encoding import spoken, texts, told
from corpora.rows.file import File
from corpora.rows.open import open_rows
from corpora.rows.row import Source
from corpora.rows.sheet import SheetSource
from corpora.rows.text import TextSource
from nlp.errors import InputError

Numbered = Iterable[tuple[int, Mapping[str, Any]]]
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
    """Read a whole file by its suffix, of a workbook the first sheet with data.

    Raises `InputError` with file and row for anything that cannot be read, were it one row.
    """
    if path.suffix.lower() != ".xlsx":
        source = open_rows(path)
        return table_of(path, _named(path, source))
    sheet = SheetSource(path, first=True)
    place = f"{path}『{sheet.sheet}』" if sheet.sheet else path
    formulas = {name.strip(): cell for name, cell in sheet.formulas.items()}
    return table_of(place, _named(place, sheet), sheet.sheet, formulas)


def table_of(place: object, rows: Numbered, sheet: str = "", formulas: Mapping[str, str] | None = None) -> Table:
    """The rows as a table of strings; raises `InputError` naming `place` when there are none."""
    numbered = list(rows)
    if not numbered:
        raise InputError(place=place, reason="只有表头，没有数据行")
    names = list(dict.fromkeys(name for _, row in numbered for name in row))
    strings = {name: [text(row.get(name)) for _, row in numbered] for name in names}
    return Table(datasets.Dataset.from_dict(strings), [line for line, _ in numbered], sheet, formulas or {})


def decoded(path: Path) -> str:
    """The text of a file in any encoding that is told by reading; raises `InputError` where a part is in another."""
    file = File(path)
    encoding = told(file)
    pieces = []
    for piece, odd in texts(file, encoding):
        if odd:
            raise InputError(place=path, reason=f"有的行不是 {spoken(encoding)} 编码，请另存为 UTF-8")
        pieces.append(piece)
    return "".join(pieces)


def _named(place: object, source: Source) -> Numbered:
    """The rows under their head; raises `InputError` with the first that cannot be read. Blank ones are left out."""
    names = _names(place, source)
    for row in source.rows():
        if row.reason:
            raise InputError(place=f"{place} 第 {row.number} 行", reason=row.reason)
        if not (isinstance(source, TextSource) and all(map(is_blank, row.cells))):
            yield row.number, dict(zip_longest(names, row.cells, fillvalue=""))


def _names(place: object, source: Source) -> list[str]:
    """The columns, without the blank ones at the end."""
    names = [name.strip() for name in source.columns]
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise InputError(place=f"{place} 的表头", reason=f"有两列都叫 {twice}，请改掉其中一个")
    return names
