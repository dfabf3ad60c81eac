"""PostgreSQL's values as a backlog needs them: what Python has no exact form for stays the text that goes back in."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, DataError
from psycopg.abc import Loader
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader

TIMES: dict[str, type[Any]] = {"date": DateLoader, "timestamp": TimestampLoader, "timestamptz": TimestamptzLoader}
KEPT = ("bool", "bytea", "float4", "float8", "int2", "int4", "int8", "numeric", "oid", "uuid", "time", "timetz")
"""Whose Python form is exact; JSON, arrays, ranges, intervals and addresses are text."""


def prepare(connection: Connection[Any]) -> None:
    """Have a connection give every value, but for arrays, in a form that the same column takes back."""
    for kind in connection.adapters.types:
        if kind.name in TIMES:
            connection.adapters.register_loader(kind.oid, _lenient(TIMES[kind.name]))
        elif kind.name not in KEPT:
            connection.adapters.register_loader(kind.oid, TextLoader)


def flatten(connection: Connection[Any]) -> None:
    """Have it give arrays as text too; whoever looks into the catalogue needs them as lists, so after that."""
    for kind in connection.adapters.types:
        if kind.array_oid:
            connection.adapters.register_loader(kind.array_oid, TextLoader)


def _lenient(loader: type[Any]) -> type[Loader]:
    """A loader that leaves `infinity`, the years before Christ and those after 9999 as text."""

    class Lenient(loader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except DataError:
                return bytes(data).decode()

    return Lenient
