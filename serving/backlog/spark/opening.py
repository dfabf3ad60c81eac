"""Opening: a cluster in place of this machine's own processes, and its tables in place of files."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from corpora.rows.row import Row
from serving.backlog.spark.parcel import packed
from serving.backlog.spark.session import Cluster, opened_spark, started
from serving.backlog.workers import Bench

if TYPE_CHECKING:
    from serving.backlog.spark.table import TableSource

WORKER = "serving.backlog.workers:open_worker"
PREFIX = "spark:"


def decided_on(
    cluster: Cluster, bench: Bench, chunks: Iterable[tuple[int, Sequence[Row]]]
) -> Iterator[tuple[int, bytes]]:
    """Each chunk's answer in order, made on a cluster; an engine as `serving.backlog.run` wants it.

    Raises `InputError` where there is no cluster, `SparkFailed` when it does not get to the end.
    """
    engine = import_module("serving.backlog.spark.engine")  # needs pyarrow, which the core alone does without
    with opened_spark(cluster) as spark:
        # Machines fetch it when they first have something to do, in later runs too: it lasts as long as the session.
        folder = mkdtemp(prefix="jiesu-spark-")
        atexit.register(rmtree, folder, ignore_errors=True)
        parcel = packed(Path(folder), bench.model, bench.rules, shipped=cluster.shipped)
        yield from engine.decided_by_spark(spark, engine.Job(parcel, WORKER, bench.told), chunks, cluster.slots)


def is_table(place: str) -> bool:
    """Whether it names a table of a cluster: `spark:库.表`, or `spark:` and the address of a Parquet folder."""
    return place.startswith(PREFIX)


def open_table(cluster: Cluster, place: str, order: str) -> TableSource:
    """A table in the order of a column; raises `InputError`. The session lasts: the run reads it again."""
    spark = started(cluster)
    source: TableSource = import_module("serving.backlog.spark.table").TableSource(
        spark, place.removeprefix(PREFIX), order
    )
    return source


def publish(cluster: Cluster, path: Path, place: str) -> None:
    """Write the Parquet file of a finished run as a table; raises `InputError` for a name that is taken."""
    import_module("serving.backlog.spark.table").publish(started(cluster), path, place.removeprefix(PREFIX))
