"""Tables of a cluster: Hive tables and Parquet folders, read in the order of a column, and written whole."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.rows.row import Row
from nlp.errors import InputError
from serving.backlog.spark import boot
from serving.backlog.spark.session import SparkFailed, failure, shortened

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS = 100_000  # of a portion that is written


class TableSource:
    """A table as a `Source`; order: a column whose values are all different, by which its rows are numbered from 1."""

    def __init__(self, spark: SparkSession, name: str, order: str) -> None:
        self.name = name
        self._order = order
        try:
            self._frame = _read(spark, self.name)
            self._columns = tuple(self._frame.columns)
            self._check()
        except InputError:
            raise
        except Exception as error:
            raise InputError(place=name, reason=f"读不了（{shortened(failure(error))}）") from error

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, in the order of the table."""
        return self._columns

    @cached_property
    def schema(self) -> str:
        """The types of the columns, as a plan's `writing` holds them for the Parquet sink."""
        held = self._frame.limit(0).toArrow().schema.remove_metadata()
        return b64encode(held.serialize().to_pybytes()).decode()

    def rows(self) -> Iterator[Row]:
        """Every row, with the types that Arrow gives them; the cluster sorts, the driver holds a portion at a time."""
        import_module("pyspark.cloudpickle").register_pickle_by_value(boot)
        # In portions of Arrow's own format: rows one by one would take the driver ten times as long.
        portions = self._frame.orderBy(f"`{self._order}`").mapInArrow(boot.in_portions, "rows binary")
        numbers = count(1)
        try:
            for (content,) in portions.toLocalIterator():
                with pa.ipc.open_stream(content) as stream:
                    for record in stream.read_all().to_pylist():
                        yield Row(next(numbers), tuple(record.values()))
        except InputError:
            raise
        except Exception as error:
            raise SparkFailed(reason=failure(error)) from error

    def digest(self) -> str:
        """SHA-256 over names, types and the sums of all rows' hashes, in hexadecimal; the cluster adds them up."""
        names = ", ".join(f"`{name}`" for name in self.columns)
        sums = self._frame.selectExpr(f"xxhash64({names}) AS h", f"hash({names}) AS g").selectExpr(
            "count(*)", "bit_xor(h)", "sum(CAST(h AS DECIMAL(38, 0)))", "sum(CAST(g AS DECIMAL(38, 0)))"
        )
        told = [self._frame.schema.json(), *map(str, sums.collect()[0])]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def size(self) -> int:
        """How many rows."""
        return int(self._frame.count())

    def _check(self) -> None:
        """Raise `InputError` where the order of the rows would be left to chance, or names would be."""
        if len({name.lower() for name in self.columns}) < len(self.columns):
            raise InputError(place=self.name, reason="有同名的列")
        if self._order not in self.columns:
            known = "、".join(self.columns)
            raise InputError(place=self.name, reason=f"没有列“{self._order}”（--order），有：{known}")
        key = f"`{self._order}`"
        if self._frame.where(f"{key} IS NULL").limit(1).count():
            raise InputError(place=f"{self.name}，列“{self._order}”", reason="有空值，排不出次序；--order 换一列")
        if self._frame.groupBy(key).count().where("`count` > 1").limit(1).count():
            raise InputError(place=f"{self.name}，列“{self._order}”", reason="有重复的值，次序不定；--order 换一列")


def check_free(spark: SparkSession, name: str) -> None:
    """Raise `InputError` where something stands already; nothing is ever written over."""
    try:
        _read(spark, name).limit(0).collect()
    except Exception as error:
        told = str(error)
        if any(sign in told for sign in ("NOT_FOUND", "PATH_NOT_FOUND", "does not exist")):
            return
        if "UNABLE_TO_INFER_SCHEMA" not in told:  # a folder that is there, and holds no Parquet
            raise InputError(place=name, reason=f"写不了（{shortened(failure(error))}）") from error
    raise InputError(place=name, reason="已经有了，不会覆盖；请换一个名字，或者先把它移走")


def publish(spark: SparkSession, path: Path, name: str) -> None:
    """Write a Parquet file, the output of a run, as a table or folder of the cluster, under its name once it is whole.

    Raises `InputError` for a name that is taken, and `SparkFailed`.
    """
    check_free(spark, name)
    # The draft is a table also where the output is a folder: only tables can be taken away again through every door.
    base = "" if _is_folder(name) else "".join(name.rpartition(".")[:2])
    draft = f"{base}jiesu_draft_{uuid4().hex[:8]}"
    try:
        for batch in pq.ParquetFile(path).iter_batches(ROWS):
            sent = spark.createDataFrame(pa.Table.from_batches([batch]))
            sent.write.mode("append").format("parquet").saveAsTable(draft)
        _save(spark.table(draft), name)
    except Exception as error:
        raise SparkFailed(reason=f"{name} 没有写成（{failure(error)}）") from error
    finally:
        spark.sql(f"DROP TABLE IF EXISTS {draft}")


def _save(frame: DataFrame, name: str) -> None:
    if _is_folder(name):
        frame.write.mode("errorifexists").parquet(name)
    else:
        frame.write.mode("errorifexists").format("parquet").saveAsTable(name)


def _read(spark: SparkSession, name: str) -> Any:
    return spark.read.parquet(name) if _is_folder(name) else spark.table(name)


def _is_folder(name: str) -> bool:
    return "/" in name
