"""Parquet: the input's columns with their types, then the answers as `jiesu_…`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.rows.cell import text
from nlp.errors import InputError
from serving.backlog.answers import KEYS, Answered
from serving.backlog.plan import Plan
from serving.backlog.sinks.record import FileSink, Record, answer_names, distinct

TYPES = {"jiesu_confidence": pa.float64(), "jiesu_needs_human": pa.bool_()}  # all others are text
GROUP = 65_536  # rows of a row group
SCHEMA = "schema"  # where a plan's `writing` holds the types of the input


class ParquetSink(FileSink):
    """Writes with the types of a Parquet input; from other formats every column of the input is text."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        names = distinct(self.columns)
        held = schema_from(plan.writing[SCHEMA]) if plan.writing.get(SCHEMA) else None
        types = held.types if held and len(held) == len(names) else [pa.string()] * len(names)
        answers = answer_names(names, KEYS)
        fields = [pa.field(name, kind) for name, kind in zip(names, types, strict=True)]
        fields += [pa.field(name, TYPES.get(key, pa.string())) for name, key in zip(answers, KEYS, strict=True)]
        self._schema = pa.schema(fields)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file; a name that comes twice gets a number."""
        return tuple(self._schema.names)

    def head(self) -> bytes:
        """Every chunk brings the schema."""
        return b""

    def records(self, answered: Sequence[Answered]) -> list[Record]:
        """Cells of the columns' types."""
        kinds = self._schema.types[: self.width]
        texts = [pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in kinds]
        return [
            Record(one.row.number, one.row.sheet, [*self._typed(one.row.cells, texts), *one.values])
            for one in answered
            if one.decision
        ]

    def written(self, records: Sequence[Record]) -> bytes:
        """One Arrow stream a chunk; raises `InputError` for a cell that is not of its column's type."""
        if not records:
            return b""
        columns = zip(*(record.cells for record in records), strict=True)
        arrays = [self._array(field, cells) for field, cells in zip(self._all, columns, strict=True)]
        out = pa.BufferOutputStream()
        with pa.ipc.new_stream(out, self._all) as stream:
            stream.write_batch(pa.record_batch(arrays, schema=self._all))
        return bytes(out.getvalue())

    def finish(self, spool: Path, out: Path) -> None:
        """Write the row groups; the spool stays."""
        with pq.ParquetWriter(out, self._all, compression="zstd") as writer:
            held: list[pa.RecordBatch] = []
            for batch in _batches(spool):
                held.append(batch)
                if sum(map(len, held)) >= GROUP:
                    writer.write_table(pa.Table.from_batches(held, self._all))
                    held = []
            if held:
                writer.write_table(pa.Table.from_batches(held, self._all))

    @property
    def _all(self) -> pa.Schema:
        """The columns of the run, and those that others have added, as text."""
        return pa.schema([*self._schema, *(pa.field(name, pa.string()) for name in self.further)])

    def _typed(self, cells: Sequence[Any], texts: Sequence[bool]) -> list[Any]:
        cells = [*cells, *[None] * (self.width - len(cells))]
        return [
            text(cell) if is_text and cell is not None else cell for cell, is_text in zip(cells, texts, strict=True)
        ]

    def _array(self, field: pa.Field, cells: Sequence[Any]) -> pa.Array:
        try:
            return pa.array(cells, field.type)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise InputError(place=f"列“{field.name}”", reason=f"有的值不是 {field.type} 类型") from error


def schema_text(path: Path) -> str:
    """The types of a Parquet file, for a plan."""
    return b64encode(pq.read_schema(path).remove_metadata().serialize().to_pybytes()).decode()


def schema_from(told: str) -> pa.Schema:
    """The types that `schema_text` told."""
    return pa.ipc.read_schema(pa.py_buffer(b64decode(told)))


def _batches(spool: Path) -> Iterator[pa.RecordBatch]:
    size = spool.stat().st_size
    with spool.open("rb") as file:
        while file.tell() < size:
            with pa.ipc.open_stream(file) as stream:
                yield from stream
