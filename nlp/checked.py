"""Checked: TOML and CSV files read into frozen dataclasses; a fault is told with its file and its line."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nlp.errors import RefusedData
from nlp.files import read_toml

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid")
"""`__pydantic_config__` of a dataclass that takes no field that it does not know."""
UNKNOWN = "unexpected_keyword_argument"
REASONS = {
    "missing": "缺少字段",
    "missing_argument": "缺少字段",
    UNKNOWN: "没有这个字段",
    "string_type": "须是文字",
    "int_type": "须是整数",
    "int_parsing": "须是整数",
    "tuple_type": "须是列表",
    "bool_type": "须是 true 或 false",
    "bool_parsing": "须是 true 或 false",
    "date_type": "须是日期，如 2026-01-31",
    "date_from_datetime_inexact": "须是日期，如 2026-01-31",
    "literal_error": "不是可用的取值",
    "date_from_datetime_parsing": "须是日期，如 2026-01-31",
    "date_parsing": "须是日期，如 2026-01-31",
}


def read_checked(path: Path, kind: type[T]) -> T:
    """One TOML file as a dataclass; raises `RefusedData` with file, line and reason."""
    data = read_toml(path)
    try:
        checked: T = TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        raise refused(path, error) from error
    return checked


def refused(path: Path, error: ValidationError) -> RefusedData:
    """The first fault of a TOML file, in one line of Chinese."""
    faults = error.errors(include_url=False, include_input=False)
    first = min(faults, key=lambda fault: fault["type"] != UNKNOWN)  # a misspelt key is what another one lacks
    location = first["loc"]
    name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in location)
    reason = f"{name}：{REASONS.get(first['type'], first['msg'])}"
    return RefusedData(file=place_of(path, location), reason=reason)


def place_of(path: Path, location: Sequence[str | int]) -> str:
    """A file and the line of one of its tables or keys."""
    return f"{path} 第 {line_of(path.read_text(encoding='utf-8'), location)} 行"


def line_of(text: str, location: Sequence[str | int]) -> int:
    """The line of a TOML text where a location such as `("ways", 3, "mode")` begins: its key, or else its table.

    The first lines that can be read alone and hold the location end with it.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    for size in range(len(location), 0, -1):
        whole = 0  # lines before the statement that is being read
        for number in range(1, len(lines) + 1):
            try:
                data = tomllib.loads("\n".join(lines[:number]))
            except tomllib.TOMLDecodeError:
                continue
            if _holds(data, location[:size]):
                return whole + 1
            whole = number
    return 1


def _holds(data: Any, location: Sequence[str | int]) -> bool:
    """Whether a location stands in what was read."""
    for part in location:
        held = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if not held:
            return False
        data = data[part]
    return True


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with exactly these columns, and their lines; raises `RefusedData`."""
    head, rows = read_rows(path)
    if head != list(columns):
        raise RefusedData(file=f"{path} 第 1 行", reason=f"表头须是：{','.join(columns)}")
    return rows


def read_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns of a CSV file (UTF-8, or GB 18030 as Excel writes it) and its rows with their lines, stripped.

    Raises `RefusedData` with file and line where a row is longer or shorter than the head.
    """
    reader = csv.reader(io.StringIO(_decoded(path)), strict=True)

    def lines() -> Iterator[tuple[int, list[str]]]:
        """Each row with the line that it begins on."""
        begun = 1
        try:
            for row in reader:
                yield begun, [cell.strip() for cell in row]
                begun = reader.line_num + 1
        except csv.Error as error:
            raise RefusedData(file=f"{path} 第 {begun} 行", reason=f"不是完整的 CSV：{error}") from error

    table = lines()
    _, columns = next(table, (1, []))

    def rows() -> Iterator[tuple[int, dict[str, str]]]:
        for line, row in table:
            if not any(row):
                continue
            if len(row) != len(columns):
                raise RefusedData(file=f"{path} 第 {line} 行", reason=f"有 {len(row)} 列，应有 {len(columns)} 列")
            yield line, dict(zip(columns, row, strict=True))

    return columns, rows()


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RefusedData(file=path, reason=error.strerror) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedData(file=path, reason="不是 UTF-8 或 GB 18030 编码的文字")


def listed(cell: str) -> tuple[str, ...]:
    """The values of a cell, which are set apart by `；` or `;`."""
    return tuple(part.strip() for part in re.split("[；;]", cell) if part.strip())


def refuse_row(path: Path, line: int, column: str, reason: str) -> RefusedData:
    """The refusal of a CSV file by the line and the column that are to blame."""
    return RefusedData(file=f"{path} 第 {line} 行", reason=f"列“{column}”：{reason}")


def row_of(path: Path, line: int, kind: TypeAdapter[T], fields: Mapping[str, Any], names: Mapping[str, str]) -> T:
    """One row as a dataclass; raises `RefusedData` that names file, line and column."""
    try:
        return kind.validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0])
        raise refuse_row(path, line, names.get(field, field), REASONS.get(first["type"], first["msg"])) from error
