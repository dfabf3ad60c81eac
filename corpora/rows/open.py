"""Any table of an office as a source of rows, by its suffix."""

from __future__ import annotations

from pathlib import Path

from corpora.rows.lines import LinesSource
from corpora.rows.parquet import ParquetSource
from corpora.rows.row import Source
from corpora.rows.sheet import SheetSource
from corpora.rows.text import TextSource
from nlp.errors import InputError

TEXT = (".csv", ".tsv", ".txt")
KNOWN = (*TEXT, ".xlsx", ".jsonl", ".parquet")
OLD = (".xls", ".et", ".xlsb", ".ods")  # formats of spreadsheets that are saved anew instead


def open_rows(path: Path, *, encoding: str = "", delimiter: str = "", sheet: str = "", first: bool = False) -> Source:
    """The rows of a file; `encoding`, `delimiter` and `sheet` are told by reading where they are empty.

    first: of a workbook the first sheet with data alone, whatever the others are.
    Raises `InputError` when there is no such file, its kind is not known, or it has no head.
    """
    suffix = path.suffix.lower()
    if suffix in TEXT:
        return TextSource(path, encoding=encoding, delimiter=delimiter)
    if suffix == ".jsonl":
        return LinesSource(path, encoding=encoding)
    if suffix == ".xlsx":
        return SheetSource(path, sheet=sheet, first=first)
    if suffix == ".parquet":
        return ParquetSource(path)
    raise unknown(path)


def unknown(path: Path) -> InputError:
    """Why a file is not read whose suffix is not one of `KNOWN`."""
    suffix = path.suffix.lower()
    if suffix in OLD:
        return InputError(place=path, reason=f"不读 {suffix} 格式，请用 Excel 或 WPS 打开，另存为 .xlsx")
    return InputError(place=path, reason=f"不认识的文件类型，可用：{'、'.join(KNOWN)}")
