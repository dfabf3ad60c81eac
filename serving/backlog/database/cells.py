"""Cells of a database as JSON holds them, and as a statement takes them back."""

from __future__ import annotations

import hashlib
import math
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

from nlp.reader import SURROGATES
from nlp.text import REPLACEMENT

SIMPLE = frozenset({type(None), bool, int, str})
LARGEST = 2**63  # JSON's writer here takes whole numbers of 64 bits
LENGTH = 32  # hexadecimal digits of a row's digest: 128 bits, enough against chance
BYTES, NUMBER, FLOAT, INSTANT, DAY, HOUR = "b", "n", "f", "t", "d", "c"
"""The kinds of cell that JSON has no form for, each a tag before its text."""


def kept(cells: Sequence[Any]) -> list[Any]:
    """The cells in forms that JSON holds, from which `restored` makes them again."""
    return [cell if type(cell) in SIMPLE else _tagged(cell) for cell in cells]


def encoded(cells: Sequence[Any]) -> bytes:
    """The cells as one JSON list; half a character becomes U+FFFD."""
    plain = kept(cells)
    try:
        return orjson.dumps(plain)
    except TypeError:
        return orjson.dumps([_mended(cell) for cell in plain])


def held(cells: Sequence[Any]) -> list[Any]:
    """The cells as they are once they went through JSON: what was read is compared with what was written down."""
    read: list[Any] = orjson.loads(encoded(cells))
    return read


def row_digest(cells: Sequence[Any]) -> str:
    """What tells whether these cells have changed."""
    return hashlib.sha256(encoded(cells)).hexdigest()[:LENGTH]


def restored(cell: Any) -> Any:
    """A cell that JSON held, as a driver takes it; times are text in ISO 8601, which every database reads."""
    if not isinstance(cell, dict):
        return cell
    ((tag, text),) = cell.items()
    if tag == BYTES:
        return b64decode(text)
    if tag == NUMBER:
        return Decimal(text)
    return float(text) if tag == FLOAT else text


def _tagged(cell: Any) -> Any:
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else {FLOAT: repr(cell)}
    if isinstance(cell, bytes | bytearray | memoryview):
        return {BYTES: b64encode(cell).decode()}
    if isinstance(cell, Decimal):
        return {NUMBER: str(cell)}
    if isinstance(cell, dict | list):
        return orjson.dumps(cell, default=str).decode()
    return _timed(cell)


def _timed(cell: Any) -> Any:
    if isinstance(cell, datetime):  # before `date`: every datetime is one
        return {INSTANT: cell.isoformat(" ")}
    if isinstance(cell, date | time):
        return {DAY if isinstance(cell, date) else HOUR: cell.isoformat()}
    return str(cell)


def _mended(cell: Any) -> Any:
    if isinstance(cell, int) and not -LARGEST <= cell < LARGEST:
        return {NUMBER: str(cell)}
    return SURROGATES.sub(REPLACEMENT, cell) if isinstance(cell, str) else cell
