"""A record: a row of the output as it is written; and its trace, by which it is known again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from serving.backlog.answers import COLUMNS, Answered
from serving.backlog.plan import Plan

KEY = [column.key for column in COLUMNS].index("decision_id") - len(COLUMNS)  # where it stands, from the end
TRACE = np.dtype([("key", "<u8"), ("sum", "<u8"), ("weighted", "<u8")])
"""24 bytes a row: its decision, the sum of its cells' CRC-32, and that sum with each cell weighted by its place."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the output. number, sheet: of the input; cells: those of the input, then the answers, as written."""

    number: int
    sheet: str
    cells: Sequence[Any]


class FileSink(ABC):
    """A sink that writes a file, and could write the same records again with some of the cells changed.

    columns: of the input. width: how many there are. further: columns that others have put behind those of the run.
    """

    further: tuple[str, ...] = ()

    def __init__(self, plan: Plan) -> None:
        self.columns = plan.columns
        self.width = len(plan.columns)

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """All columns of the output, as they are written."""

    @abstractmethod
    def head(self) -> bytes:
        """What stands before the first row."""

    @abstractmethod
    def records(self, answered: Sequence[Answered]) -> list[Record]:
        """The decided rows of a chunk."""

    @abstractmethod
    def written(self, records: Sequence[Record]) -> bytes:
        """Records as bytes of the spool."""

    @abstractmethod
    def finish(self, spool: Path, out: Path) -> None:
        """Turn the spool into the output."""

    def rendered(self, answered: Sequence[Answered]) -> bytes:
        """The decided rows of a chunk as bytes of the spool."""
        return self.written(self.records(answered))

    def padded(self, cells: Sequence[Any]) -> list[Any]:
        """The cells of a row, as many as there are columns."""
        return [*cells, *[""] * (self.width - len(cells))]


def answer_names(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names for the answers that no column of the input has: a second answer stands beside the first."""
    taken = set(columns)
    ending = next(end for end in ("", *(f"_{number}" for number in range(2, len(taken) + 3)))
                  if not taken.intersection(name + end for name in names))  # fmt: skip
    return tuple(name + ending for name in names)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names where no two are the same: the later of two gets a number. An empty one is called `column`."""
    taken: set[str] = set(names)
    found: dict[str, None] = {}
    for name in names:
        new, number = name or "column", 2
        while new in found or (new != name and new in taken):
            new, number = f"{name or 'column'}_{number}", number + 1
        found[new] = None
    return tuple(found)


def traces(records: Sequence[Record], key: int = KEY) -> NDArray[np.void]:
    """The traces of records whose decision's number stands in cell `key`; all records are equally long."""
    found = np.empty(len(records), TRACE)
    if not records:
        return found
    checks = np.array([[_check(cell) for cell in record.cells] for record in records], np.uint64)
    found["key"] = [key_of(record.cells[key]) for record in records]
    found["sum"] = checks.sum(axis=1, dtype=np.uint64)
    found["weighted"] = (checks * np.arange(1, checks.shape[1] + 1, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    return found


def _check(value: Any) -> int:
    told = value if type(value) is str and "\r" not in value else canonical(value)
    try:
        return crc32(told.encode())
    except UnicodeEncodeError:
        return crc32(told.encode("utf-8", "surrogatepass"))


def key_of(decision: Any) -> int:
    """A decision's number as 8 bytes; 0 where there is none."""
    text = canonical(decision)
    return int.from_bytes(text.encode("utf-8", "replace")[-8:], "big") if text else 0


def canonical(value: Any) -> str:
    """A cell as it is read again, whatever format it went through: numbers to 15 places, times to the second."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    shown = SHOWN.get(type(value))
    return shown(value) if shown else str(value)


SHOWN: Mapping[type[Any], Callable[[Any], str]] = {
    type(None): lambda _: "",
    float: lambda value: f"{value:.15g}",
    datetime: lambda value: value.isoformat(" ", "seconds").removesuffix(" 00:00:00"),
    dict: lambda value: orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode(),
    list: lambda value: orjson.dumps(value, default=str).decode(),
}
"""How kinds of cells are told, but for those that `str` tells."""
