"""Kinds of cells, and the type of the column that all cells of a column fit."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, LargeBinary, Numeric, Text, Time
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from serving.backlog.database.cells import BYTES, DAY, FLOAT, HOUR, INSTANT, NUMBER

Kind = tuple[Any, ...]
"""What a cell is: one of the words below, of a decimal its digits before and after the point, of a time its zone."""
TRUTH, WHOLE, REAL, WORDS = "truth", "whole", "real", "words"
INSTANT_TYPES = {False: DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql"), True: DateTime(timezone=True)}
TYPES: dict[str, TypeEngine[Any]] = {
    TRUTH: Boolean(),
    WHOLE: BigInteger(),
    REAL: Double(),
    DAY: Date(),
    HOUR: Time().with_variant(mysql.TIME(fsp=6), "mysql"),
    BYTES: LargeBinary().with_variant(mysql.LONGBLOB(), "mysql"),
}
TEXT: TypeEngine[Any] = Text().with_variant(mysql.LONGTEXT(), "mysql")
DIGITS, SCALE = 65, 30  # the most that MySQL's DECIMAL holds


def kind_of(cell: Any) -> Kind:
    """The kind of a cell (as JSON holds it) that is not empty."""
    if isinstance(cell, bool):
        return (TRUTH,)
    if isinstance(cell, int | float):
        return (WHOLE if isinstance(cell, int) else REAL,)
    if not isinstance(cell, dict):
        return (WORDS,)
    ((tag, text),) = cell.items()
    if tag == NUMBER:
        return _decimal(Decimal(text))
    if tag == INSTANT:
        return (INSTANT, text[10:].rpartition("+")[1] == "+" or "-" in text[10:])
    return (REAL,) if tag == FLOAT else (tag,)


def type_of(kinds: Collection[Kind], database: str) -> TypeEngine[Any]:
    """The type that all cells of these kinds fit: text, where nothing else does."""
    words = {kind[0] for kind in kinds}
    if words == {INSTANT} and len(kinds) == 1:
        zoned = next(iter(kinds))[1]
        return TEXT if zoned and database != "postgresql" else INSTANT_TYPES[zoned]
    if NUMBER in words and words <= {NUMBER, WHOLE}:
        return _numeric([kind for kind in kinds if kind[0] == NUMBER], WHOLE in words)
    if words == {WHOLE, REAL}:
        return TYPES[REAL]
    return TYPES.get(next(iter(words)), TEXT) if len(words) == 1 else TEXT


def _decimal(number: Decimal) -> Kind:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):  # not a number, or infinite
        return (WORDS,)
    return NUMBER, max(number.adjusted() + 1, 1), max(-exponent, 0)


def _numeric(kinds: Collection[Kind], whole: bool) -> TypeEngine[Any]:
    scale = max(kind[2] for kind in kinds)
    before = max(*(kind[1] for kind in kinds), 19 if whole else 1)
    return Numeric(before + scale, scale) if before + scale <= DIGITS and scale <= SCALE else TEXT
