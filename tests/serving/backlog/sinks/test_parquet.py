"""Parquet keeps the types of a Parquet input."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nlp.decider import Decider
from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.sinks.parquet import SCHEMA, ParquetSink, schema_from, schema_text
from tests.serving.backlog.desk import Desk, answered, plan, tickets

TYPES = pa.schema([
    ("工单编号", pa.int32()), ("诉求内容", pa.large_string()), ("受理时间", pa.timestamp("ms", "Asia/Shanghai")),
    ("金额", pa.decimal128(8, 2)), ("标签", pa.list_(pa.string())),
])  # fmt: skip
ROW = {
    "工单编号": 7,
    "诉求内容": "路灯不亮",
    "受理时间": datetime(2026, 1, 2),
    "金额": Decimal("1.50"),
    "标签": ["急", "夜"],
}


def test_types_and_values_of_a_parquet_input_are_kept(desk: Desk) -> None:
    table = pa.Table.from_pylist([ROW, {"工单编号": None, "诉求内容": None}], TYPES)
    pq.write_table(table, desk / "in.parquet")
    desk.batch("in.parquet", "out.parquet")
    found = pq.read_table(desk / "out.parquet")
    assert found.select(TYPES.names).cast(TYPES).equals(table)
    assert found.schema.names == [*TYPES.names, *KEYS]
    assert found.schema.field("jiesu_confidence").type == pa.float64()
    assert found.schema.field("jiesu_needs_human").type == pa.bool_()
    assert found.schema.field("工单编号").type == pa.int32()


def test_other_inputs_give_text(decider: Decider, tmp_path: Path) -> None:
    one = plan(writing={"format": "parquet"})
    sink = ParquetSink(one)
    (tmp_path / "spool").write_bytes(
        sink.rendered(answered(decider, one, tickets(3)))
        + sink.rendered(answered(decider, one, [[1, 2.5, "路灯", None]]))
    )
    sink.finish(tmp_path / "spool", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["工单编号"] for row in found] == ["G-0", "G-1", "G-2", "1"]
    assert (found[3]["标题"], found[3]["受理时间"], found[3]["一级分类"]) == ("2.5", None, None)


def test_a_value_that_is_not_of_its_type_is_told(decider: Decider, tmp_path: Path) -> None:
    pq.write_table(pa.table({"工单编号": pa.array([1], pa.int8()), "诉求内容": ["x"]}), tmp_path / "in.parquet")
    told = schema_text(tmp_path / "in.parquet")
    assert schema_from(told).field("工单编号").type == pa.int8()
    one = plan(columns=("工单编号", "诉求内容"), writing={"format": "parquet", SCHEMA: told})
    with pytest.raises(InputError, match=r"列“工单编号”.*int8"):
        ParquetSink(one).rendered(answered(decider, one, [[1000, "路灯不亮"]]))


def test_nothing_decided_gives_a_file_with_the_columns(tmp_path: Path) -> None:
    sink = ParquetSink(plan(writing={"format": "parquet"}))
    (tmp_path / "spool").write_bytes(sink.head() + sink.rendered([]))
    sink.finish(tmp_path / "spool", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
