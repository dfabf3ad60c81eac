"""The engine: chunks go out to the cluster in waves and come back decided, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pyarrow

from corpora.rows.row import Row
from nlp.errors import JiesuError
from serving.backlog.spark import boot
from serving.backlog.spark.boot import Errand, errand_run
from serving.backlog.spark.cells import encoded
from serving.backlog.spark.parcel import Parcel
from serving.backlog.spark.session import SparkFailed, failure

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHUNKS = 4  # of a wave, for each core: enough that starting a job and waiting for its slowest do not show
BYTES = 128 << 20  # a wave is not larger, so that the driver's memory stays flat
AHEAD = 2  # waves on the cluster at a time: the second one's chunks fill the cores that the first one no longer needs
SENT = pyarrow.schema([("chunk", pyarrow.int64()), ("rows", pyarrow.binary())])
BACK = "chunk long, answer binary"
Chunk = tuple[int, Sequence[Row]]
Wave = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Job:
    """What the workers do.

    opener: `module:function` that is called once in each Python worker with (told, model folder, rules folder or none);
    what it returns is called with the number and the rows of each chunk, and returns bytes.
    """

    parcel: Parcel
    opener: str
    told: Mapping[str, Any]

    def errand(self, function: str) -> Errand:
        """The job as a worker is told of it."""
        told = orjson.dumps({"opener": self.opener, "told": orjson.dumps(self.told).decode()}).decode()
        sent = self.parcel
        return Errand(sent.path.name, sent.digest, sent.code, sent.shipped, function, told)


def decided_by_spark(
    spark: SparkSession, job: Job, chunks: Iterable[Chunk], slots: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Number and answer of every chunk, in their order; raises `SparkFailed`.

    slots: chunks that the cluster decides at a time; 0 asks it. Jobs still running when the caller stops are ended.
    """
    tag = f"jiesu-{uuid4()}"
    running = _Running(spark, send(spark, job, "serving.backlog.spark.worker:answered"), tag)
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="spark") as pool:
        waiting: deque[Future[Wave]] = deque()
        try:
            for wave in waves(chunks, CHUNKS * (slots or cores(spark))):
                waiting.append(pool.submit(running.decided, wave))
                if len(waiting) > AHEAD:  # one more stands ready, so that no core waits for the driver's writing
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            if waiting:
                _end(spark, waiting, tag)


class _Running:
    def __init__(self, spark: SparkSession, run: Any, tag: str) -> None:
        self._spark = spark
        self._run = run
        self._tag = tag

    def decided(self, wave: Wave) -> Wave:
        """The wave's answers, in the order of its chunks."""
        numbers = [number for number, _ in wave]
        try:
            self._spark.addTag(self._tag)  # holds for this thread alone
            sent = pyarrow.table([numbers, [rows for _, rows in wave]], schema=SENT)
            frame = self._spark.createDataFrame(sent).mapInPandas(self._run, BACK)
            back = frame.toArrow()
        except JiesuError:
            raise
        except Exception as error:
            raise SparkFailed(reason=failure(error)) from error
        found = dict(zip(back["chunk"].to_pylist(), back["answer"].to_pylist(), strict=True))
        if sorted(found) != numbers:
            raise SparkFailed(reason=f"送出 {len(numbers)} 块，回来 {len(found)} 块")
        return [(number, found[number]) for number in numbers]


def _end(spark: SparkSession, waiting: Iterable[Future[Wave]], tag: str) -> None:
    for future in waiting:
        future.cancel()
    spark.interruptTag(tag)


def send(spark: SparkSession, job: Job, function: str) -> Any:
    """Ship the parcel to every machine; what Spark is to map over partitions there."""
    # Where there is no jiesu yet, nothing of it can be found by name: this one module goes along as it is.
    import_module("pyspark.cloudpickle").register_pickle_by_value(boot)
    try:
        spark.addArtifacts(str(job.parcel.path), file=True)
    except Exception as error:
        raise SparkFailed(reason=f"模型送不到集群（{failure(error)}）") from error
    return errand_run(job.errand(function))


def waves(chunks: Iterable[Chunk], most: int) -> Iterator[Wave]:
    """The chunks, encoded, in groups of at most `most` chunks and `BYTES` (or one chunk)."""
    wave: Wave = []
    size = 0
    for number, rows in chunks:
        content = encoded(rows)
        if wave and (len(wave) >= most or size + len(content) > BYTES):
            yield wave
            wave, size = [], 0
        wave.append((number, content))
        size += len(content)
    if wave:
        yield wave


def cores(spark: SparkSession) -> int:
    """How many tasks the cluster runs at a time, as far as it tells."""
    try:
        return int(spark.sparkContext.defaultParallelism)
    except Exception:  # Spark Connect has no context; what it says of itself then counts
        told = spark.conf.get("spark.default.parallelism", "") or spark.conf.get("spark.executor.instances", "")
        return int(told) if told and told.isdigit() else 8
