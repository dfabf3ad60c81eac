"""A row of a table as it stands in its source, and what every source offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol


class Row(NamedTuple):
    """One record: its cells in the order of the source's columns, untouched; there may be fewer than columns.

    number: the line of a text file on which it begins, the row of a sheet, else the number of the record; from 1.
    reason: why it cannot be read, empty where it can; `cells` then hold what could be made of it.
    sheet: of a workbook with several.
    """

    # A named tuple, not a frozen dataclass: made in half the time, and there are millions of them.
    number: int
    cells: tuple[Any, ...]
    reason: str = ""
    sheet: str = ""


class Source(Protocol):
    """A table that can be read from its beginning again and again, in the same order each time."""

    @property
    def name(self) -> str:
        """What people call it; no password stands in it."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, in the order of the source."""
        ...

    def rows(self) -> Iterator[Row]:
        """Every record, those that cannot be read too; raises `InputError` when nothing more can be read."""
        ...

    def digest(self) -> str:
        """SHA-256 of what is read, in hexadecimal: another one means that the source has changed."""
        ...
