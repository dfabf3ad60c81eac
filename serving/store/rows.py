"""Rows as JSON, one line a row: what a back-up of either database holds, and what either database takes back."""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import IO, Any

import orjson
from sqlalchemy import Column, Connection, LargeBinary, RowMapping, Table, select

from nlp.errors import InputError

LEVEL = 3  # of gzip: what is large in a row is deflated already
LONGEST = 64 * 1024 * 1024  # bytes of a line: a petition of the largest body, twice over, in base64
MOST = 1000  # rows in one statement
BITS = 63  # of the largest whole number in either database, beside its sign
Told = Callable[[str, int], None]
"""Is told how far a table is: its name, and the rows done so far."""


def dump(connection: Connection, table: Table, file: IO[bytes], told: Told) -> int:
    """Write a table's rows, in the order of its key, as gzipped JSON lines; gives their number."""
    binary = _binary(table)
    count = 0
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=LEVEL) as out:
        query = select(table).order_by(*table.primary_key.columns)
        for part in connection.execute(query, execution_options={"yield_per": MOST}).mappings().partitions():
            out.write(b"".join(_line(row, binary) for row in part))
            count += len(part)
            told(table.name, count)
    return count


def load(connection: Connection, table: Table, file: IO[bytes], told: Told) -> int:
    """Insert the rows that `dump` wrote; gives their number. Raises `InputError` with table and line."""
    count, waiting = 0, []
    for row in _rows(table, file):
        waiting.append(row)
        if len(waiting) == MOST:
            connection.execute(table.insert(), waiting)
            count += len(waiting)
            waiting = []
            told(table.name, count)
    if waiting:
        connection.execute(table.insert(), waiting)
    told(table.name, count + len(waiting))
    return count + len(waiting)


def _line(row: RowMapping, binary: frozenset[str]) -> bytes:
    values = {
        str(name): b64encode(value).decode() if name in binary and value is not None else value
        for name, value in row.items()
    }
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _binary(table: Table) -> frozenset[str]:
    return frozenset(column.name for column in table.columns if isinstance(column.type, LargeBinary))


def _rows(table: Table, file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a table's file, each checked against the table's columns."""
    number = 0
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as lines:
            while line := lines.readline(LONGEST):
                number += 1
                yield _row(table, line)
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        place = f"备份里的表 {table.name} 第 {number} 行"
        raise InputError(place=place, reason=f"读不懂（{type(error).__name__}）") from error


def _row(table: Table, line: bytes) -> dict[str, Any]:
    """A row; raises `ValueError` or `TypeError` for one that does not fit the table."""
    row = orjson.loads(line)
    if not isinstance(row, dict) or row.keys() != set(table.columns.keys()):
        raise TypeError
    return {column.name: _value(column, row[column.name]) for column in table.columns}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None  # whether it may be empty, the database knows
    if isinstance(column.type, LargeBinary):
        return b64decode(value, validate=True)
    if type(value) is not column.type.python_type:  # SQLite would take a text for a number
        raise TypeError
    if type(value) is int and value.bit_length() > BITS:
        raise ValueError
    return value
