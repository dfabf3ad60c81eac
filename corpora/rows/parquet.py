"""Rows of a Parquet file, batch by batch, cells with the types they have there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from corpora.rows.file import File, opening
from corpora.rows.row import Row
from nlp.errors import InputError

BATCH = 4096  # rows laid out at a time


class ParquetSource:
    """A Parquet file; raises `InputError` when it is none, or has no columns.

    schema: its columns and types, as pyarrow holds them.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = File(path)
        with opening(path), self._reading(), pyarrow.parquet.ParquetFile(path) as file:
            self.schema = file.schema_arrow
            self._size = int(file.metadata.num_rows)
        self.columns: tuple[str, ...] = tuple(self.schema.names)
        if not self.columns:
            raise InputError(place=path, reason="文件是空的，没有数据行")

    def rows(self) -> Iterator[Row]:
        """Every record, numbered from 1."""
        done = 0
        with opening(self._file.path), self._reading(), pyarrow.parquet.ParquetFile(self._file.path) as file:
            for batch in file.iter_batches(BATCH):
                for number, (cells, reason) in enumerate(_rows(batch), done + 1):
                    yield Row(number, cells, reason)
                done += batch.num_rows
                self._file.refuse_changed()
        self._file.refuse_changed()

    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._file.digest()

    def size(self) -> int:
        """How many rows there are."""
        return self._size

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (pyarrow.lib.ArrowException, OSError) as error:
            if getattr(error, "errno", None):
                raise
            raise InputError(place=self.name, reason=f"不是可读的 Parquet（{error}）") from error


def _rows(batch: pyarrow.RecordBatch) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The cells of each row, and why they cannot be read."""
    try:
        columns = [column.to_pylist() for column in batch.columns]
    except (ValueError, OverflowError):  # text that is no UTF-8, dates beyond the year 9999
        yield from (_cells(batch, place) for place in range(batch.num_rows))
    else:
        yield from ((cells, "") for cells in zip(*columns, strict=True))


def _cells(batch: pyarrow.RecordBatch, place: int) -> tuple[tuple[Any, ...], str]:
    cells: list[Any] = []
    reason = ""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            cells.append(column[place].as_py())
        except (ValueError, OverflowError) as error:
            cells.append(None)
            reason = reason or f"『{name}』列读不懂（{error}）"
    return tuple(cells), reason
