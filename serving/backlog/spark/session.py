"""The session: the cluster that a run works on, found or started, and what it says when it fails."""

from __future__ import annotations

import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nlp.errors import InputError, JiesuError
from serving.backlog.spark.boot import BEGIN, END

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OURS = re.compile(re.escape(BEGIN) + "(.*?)" + re.escape(END), re.DOTALL)
LACKING = re.compile(r"No module named '([\w.]+)'")
PYTHON = "PYSPARK_PYTHON"  # which Python the workers run; Spark knows no other way for a session begun in a process
REMOTE = "sc://"  # Spark Connect
PORT, SECONDS = 15002, 10
LOCAL: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.ui.showConsoleProgress": "false",  # its bar would be drawn over that of the run
    "spark.driver.bindAddress": "127.0.0.1",  # nobody else has anything to do with a cluster within this machine
    "spark.driver.host": "127.0.0.1",
}
SIGNS = {
    "Python worker exited unexpectedly": "一个 Python 工作进程意外退出（多半是内存不够，见 docs/cluster.md）",
    "java.lang.OutOfMemoryError": "Java 内存不够（见 docs/cluster.md 的 spark.executor.memory、spark.driver.memory）",
    "No space left on device": "磁盘满了",
    "Cannot run program": "工作机器上没有所设的 Python（PYSPARK_PYTHON）",
    "PYTHON_VERSION_MISMATCH": "集群与驱动端的 Python 小版本不同",
}
"""Words of Spark's own → what they mean."""


class SparkFailed(JiesuError):
    """Spark 没有算完：{reason}；已算完的块都留着，加 --resume 接着算"""


@dataclass(frozen=True)
class Cluster:
    """Where a run's chunks are decided.

    master: as Spark writes it (`local[2]`, `yarn`, `k8s://…`, `spark://…`, or `sc://…` for Spark Connect); empty: as
    `spark-submit` or `SPARK_REMOTE` say. zone: that times of its tables are read in. slots: chunks decided at a time;
    0 asks the cluster. shipped: the code goes along; else every machine has it, and the same. conf: of Spark, besides.
    """

    master: str = ""
    zone: str = "Asia/Shanghai"
    slots: int = 0
    shipped: bool = True
    conf: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def opened_spark(cluster: Cluster | None = None) -> Iterator[SparkSession]:
    """A session of the cluster; one that was there before stays open, one that was started here ends here.

    None: whatever `spark-submit` or Spark's own settings name.
    """
    before = _pyspark().SparkSession.getActiveSession()
    spark = started(cluster or Cluster())
    try:
        yield spark
    finally:
        if before is None:
            spark.stop()


def started(cluster: Cluster) -> SparkSession:
    """The session of the cluster, or a new one, which lasts as long as the process.

    Raises `InputError` without pyspark or a Java that it can use, or where nobody answers.
    """
    builder = _pyspark().SparkSession.builder.appName("jiesu")
    if cluster.master.startswith(REMOTE):
        check_heard(cluster.master)
    local = cluster.master.startswith("local")
    if local:
        os.environ.setdefault(PYTHON, sys.executable)  # else whatever python3 the path begins with
    if cluster.master:
        remote = cluster.master.startswith(REMOTE)
        builder = builder.remote(cluster.master) if remote else builder.master(cluster.master)
    try:
        for key, value in {**(LOCAL if local else {}), **cluster.conf}.items():
            builder = builder.config(key, value)
        spark: SparkSession = builder.getOrCreate()
        spark.conf.set("spark.sql.session.timeZone", cluster.zone)
    except Exception as error:
        raise InputError(place="--engine spark", reason=_unopened(error)) from error
    return spark


def check_heard(master: str) -> None:
    """Raise `InputError` where nobody listens: Spark's own client would go on trying for ten minutes."""
    server = urlsplit(master)
    try:
        with socket.create_connection((server.hostname or "", server.port or PORT), SECONDS):
            pass
    except (OSError, ValueError) as error:
        reason = f"连不上 Spark Connect 服务 {server.netloc}，请核对地址和端口（默认 {PORT}）"
        raise InputError(place="--engine spark", reason=reason) from error


def _pyspark() -> Any:
    # It warns of pandas 3 in every session; what goes through pandas here is two columns of numbers and bytes.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        import_module("pandas")
        return import_module("pyspark.sql")
    except ModuleNotFoundError as error:
        reason = (
            f"没有装 {error.name}：请装上 jiesu[spark]（pip install -r requirements/spark.txt），或用集群自带的 pyspark"
        )
        raise InputError(place="--engine spark", reason=reason) from error


def _unopened(error: Exception) -> str:
    told = str(error)
    if "JAVA_GATEWAY_EXITED" in told or "Java gateway process exited" in told:
        return "Java 起不来：Spark 4 要 Java 17 或 21，请看 java -version 与 JAVA_HOME（上面有它说的话）"
    if isinstance(error, ModuleNotFoundError | ImportError) or "PACKAGE_NOT_INSTALLED" in told:
        return "Spark Connect 要的包没有装全：请装 pyspark[connect]"
    return f"开不了 Spark 会话（{type(error).__name__}：{shortened(told)}）"


def failure(error: Exception) -> str:
    """What a failed job is told as: our own words out of a worker, what Spark's words mean, or their first line."""
    told = str(error)
    if found := OURS.search(told):
        return found[1]
    if lacking := LACKING.search(told):
        return f"集群的 Python（{PYTHON}）缺少 {lacking[1]}，见 docs/cluster.md"
    for sign, meaning in SIGNS.items():
        if sign in told:
            return meaning
    return f"{type(error).__name__}：{shortened(told)}"


def shortened(told: str) -> str:
    """The first line, so far as it says something."""
    return told.strip().partition("\n")[0][:200]
