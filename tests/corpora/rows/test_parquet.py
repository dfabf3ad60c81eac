"""Parquet is read batch by batch, and its cells keep their types."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from corpora.rows import parquet
from corpora.rows.parquet import ParquetSource
from nlp.errors import InputError


def written(path: Path, table: pyarrow.Table) -> Path:
    pyarrow.parquet.write_table(table, path)
    return path


def test_types_and_order_are_kept_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH", 7)
    times = [datetime(2024, 3, 5, 8, tzinfo=UTC), None] * 10
    made = {"编号": list(range(20)), "时间": times, "额": [Decimal("1.50")] * 20, "组": [["a"], None] * 10}
    table = ParquetSource(written(tmp_path / "a.parquet", pyarrow.table(made)))
    rows = list(table.rows())
    assert (table.columns, table.size()) == (("编号", "时间", "额", "组"), 20)
    assert [row.number for row in rows] == list(range(1, 21))
    assert [row.cells for row in rows] == list(zip(*made.values(), strict=True))
    assert table.schema.field("额").type == pyarrow.decimal128(3, 2)
    assert table.digest() == table.digest()


def test_a_text_that_is_no_utf8_costs_its_row_alone(tmp_path: Path) -> None:
    ends = pyarrow.array([0, 2, 4, 6], pyarrow.int32()).buffers()[1]
    raw = pyarrow.Array.from_buffers(pyarrow.string(), 3, [None, ends, pyarrow.py_buffer(b"ok\xff\xffso")])
    path = written(tmp_path / "a.parquet", pyarrow.table({"id": [1, 2, 3], "text": raw}))
    rows = list(ParquetSource(path).rows())
    assert [(row.number, row.cells) for row in rows] == [(1, (1, "ok")), (2, (2, None)), (3, (3, "so"))]
    assert ["『text』列读不懂" in row.reason for row in rows] == [False, True, False]


def test_a_half_written_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", pyarrow.table({"a": [1, 2]}))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="不是可读的 Parquet"):
        ParquetSource(path)


def test_a_file_that_is_damaged_within_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", pyarrow.table({"a": [f"第{number}行" for number in range(1000)]}))
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + bytes(len(raw) // 2) + raw[4 + len(raw) // 2 :])
    with pytest.raises(InputError, match="不是可读的 Parquet"):
        list(ParquetSource(path).rows())


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    table = ParquetSource(written(tmp_path / "a.parquet", pyarrow.table({"a": [1, 2]})))
    written(tmp_path / "a.parquet", pyarrow.table({"a": [1, 2, 3]}))
    with pytest.raises(InputError, match="在读的时候变了"):
        list(table.rows())
