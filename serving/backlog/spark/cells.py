"""Rows as bytes, for the way to a cluster and back: every cell comes out as it went in, value and type."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

from corpora.rows.row import Row
from nlp.errors import InputError

WHOLE = 1 << 53  # whole numbers up to here are the same in every JSON reader
WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (datetime, datetime.isoformat),  # before date, of which it is a kind
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, lambda value: f"{value.days},{value.seconds},{value.microseconds}"),
    (Decimal, str),
    (bytes, lambda value: b64encode(value).decode()),
    (float, repr),
    (int, str),
    (str, lambda value: b64encode(value.encode("utf-8", "surrogatepass")).decode()),
)
READ: Mapping[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda held: timedelta(*map(int, held.split(","))),
    "Decimal": Decimal,
    "bytes": b64decode,
    "float": float,
    "int": int,
    "str": lambda held: b64decode(held).decode("utf-8", "surrogatepass"),
}


def encoded(rows: Iterable[Row]) -> bytes:
    """The rows as JSON; what JSON has no word for is written as an object with the name of its type."""
    rows = list(rows)
    try:
        # Nearly all tables hold nothing but text: these go without a look at each cell.
        if all(type(cell) is str for row in rows for cell in row.cells):
            return orjson.dumps([(row.number, row.reason, row.sheet, row.cells) for row in rows])
    except orjson.JSONEncodeError:
        pass  # half a character: the long way round knows how to write it
    return orjson.dumps([(row.number, row.reason, row.sheet, [_written(cell) for cell in row.cells]) for row in rows])


def decoded(content: bytes) -> list[Row]:
    """The rows that `encoded` wrote."""
    return [
        Row(number, tuple(map(_read, cells)), reason, sheet) for number, reason, sheet, cells in orjson.loads(content)
    ]


def _written(cell: Any) -> Any:
    if _is_plain(cell):
        return cell
    if isinstance(cell, Mapping):
        return {"dict": [[_written(key), _written(value)] for key, value in cell.items()]}
    if isinstance(cell, tuple):
        return {"tuple": [_written(each) for each in cell]}
    if isinstance(cell, Sequence) and not isinstance(cell, str | bytes):
        return [_written(each) for each in cell]
    for kind, write in WRITTEN:
        if isinstance(cell, kind):
            return {kind.__name__: write(cell)}
    raise InputError(place="--engine spark", reason=f"不能把 {type(cell).__name__} 型的单元格送到集群上")


def _is_plain(cell: Any) -> bool:
    """Whether JSON gives it back as it is."""
    if isinstance(cell, str):
        return cell.isascii() or not any("\ud800" <= char <= "\udfff" for char in cell)
    if isinstance(cell, float):
        return isfinite(cell)
    return cell is None or isinstance(cell, bool) or (isinstance(cell, int) and abs(cell) < WHOLE)


def _read(held: Any) -> Any:
    if isinstance(held, list):
        return [_read(each) for each in held]
    if not isinstance(held, dict):
        return held
    [(kind, content)] = held.items()
    if kind == "dict":
        return {_read(key): _read(value) for key, value in content}
    if kind == "tuple":
        return tuple(map(_read, content))
    return READ[kind](content)
