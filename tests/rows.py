"""Rows for any table, with something in every column that wants a value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

FILLERS: dict[type, Any] = {int: 1, str: "x", float: 0.5, bool: False, bytes: b"x"}


def row(table: Table, **given: Any) -> dict[str, Any]:
    """A row of a table: what is given, and a filler of its type in each other column that may not be empty."""
    wanted = {column.name: column.type.python_type for column in table.columns if not column.nullable}
    return {name: FILLERS[kind] for name, kind in wanted.items()} | given
