"""Sheets: the numbers of a picture as a table, on the page and in a workbook alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """A value, and where its tickets are. part: a share, told in percent."""

    value: str | int | float | None
    href: str = ""
    part: bool = False

    @property
    def text(self) -> str:
        """As people read it."""
        if self.value is None:
            return "—"
        if self.part and not isinstance(self.value, str):
            return f"{self.value:.1%}"
        return f"{self.value:,}" if isinstance(self.value, int) else f"{self.value}"


@dataclass(frozen=True)
class Sheet:
    """A table: the name of its sheet, its head, and its rows, whose first cell names them."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
