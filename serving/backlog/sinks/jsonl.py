"""JSONL: one object a line, the input's fields with their types, then the answers as `jiesu_…`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from corpora.rows.cell import text
from serving.backlog.answers import KEYS, Answered
from serving.backlog.plan import Plan
from serving.backlog.sinks.record import FileSink, Record, answer_names, distinct

NATIVE = (str, int, float, bool, list, dict, type(None))


class JsonlSink(FileSink):
    """Writes UTF-8 without a mark. A name that comes twice gets a number, for an object holds each only once."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        columns = distinct(self.columns)
        self._names = (*columns, *answer_names(columns, KEYS))

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of every object."""
        return self._names

    def head(self) -> bytes:
        """JSONL has none."""
        return b""

    def records(self, answered: Sequence[Answered]) -> list[Record]:
        """Cells as JSON has them; times and the like as text."""
        return [
            Record(one.row.number, one.row.sheet, [*map(_native, self.padded(one.row.cells)), *one.values])
            for one in answered
            if one.decision
        ]

    def written(self, records: Sequence[Record]) -> bytes:
        """One line each."""
        names = (*self._names, *self.further)
        return b"".join(_line(dict(zip(names, record.cells, strict=True))) for record in records)

    def finish(self, spool: Path, out: Path) -> None:
        """The spool is the output already."""
        spool.replace(out)


def _native(value: Any) -> Any:
    return value if isinstance(value, NATIVE) else text(value)


def _line(held: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(held, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half a character, or a number of more than 64 bits: JSON can hold both, orjson will not
        return json.dumps(held, default=text).encode() + b"\n"
