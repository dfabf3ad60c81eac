"""The backlog on a real Spark of this machine: needs Java 17 and pyspark, and takes some minutes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.sql import SparkSession

from corpora.rows.row import Row
from nlp.errors import InputError
from nlp.model import read_manifest
from serving.backlog.plan import Plan
from serving.backlog.spark import parcel as parcels
from serving.backlog.spark.cells import encoded
from serving.backlog.spark.engine import Job, decided_by_spark
from serving.backlog.spark.opening import WORKER, decided_on
from serving.backlog.spark.parcel import packed
from serving.backlog.spark.session import Cluster, SparkFailed, opened_spark
from serving.backlog.spark.table import TableSource, check_free, publish
from serving.backlog.work import Done
from serving.backlog.workers import Bench, decided_here

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # pyspark leaves sockets to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
ROOT = Path(__file__).parents[2]
HOME = Path(pyspark.__file__).parent
CHUNK = 20
HERE = Cluster("local[2]")
COLUMNS = ("工单编号", "标题", "诉求内容", "受理时间", "金额")
ROLES = {"id": COLUMNS[:1], "title": COLUMNS[1:2], "text": COLUMNS[2:3], "time": COLUMNS[3:4]}
DEADLY = """
import os, signal, sys
from pathlib import Path
def open_deadly(told, model, rules):
    def work(number, rows):
        if number == told["dies"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"{number}:{len(rows)}".encode()
    return work
def open_faulty(told, model, rules):
    raise KeyError("青杉苑三期的张三")
def open_telling(told, model, rules):
    import nlp
    return lambda number, rows: nlp.__file__.encode()
"""


def rows() -> list[Row]:
    """Two hundred rows of every kind of cell, and some that could not be read."""
    made = []
    for number in range(2, 203):
        text = f"小区第{number}栋楼下的路灯不亮，晚上看不见路，请派人来修。" if number % 3 else "楼上漏水，物业不管。"
        when: Any = "2026-03-01 09:00" if number % 2 else datetime(2026, 3, 1, 9, tzinfo=UTC)
        money = (None, 1.5, 3, "=1+1", "\ud83d")[number % 5]
        made.append(Row(number, (f"G{number}", "反映问题", text, when, money), "列数不对" if number % 31 == 0 else ""))
    return made


def chunks(size: int = CHUNK) -> Iterator[tuple[int, list[Row]]]:
    every = iter(rows())
    number = 0
    while chunk := list(islice(every, size)):
        yield number, chunk
        number += 1


@pytest.fixture(scope="module")
def bench(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    rules = tmp_path_factory.mktemp("rules")
    (rules / "profiles").mkdir()
    for name in ("plain", "wenjiang"):
        shutil.copy(ROOT / "nlp" / "rules" / "profiles" / f"{name}.toml", rules / "profiles")
    manifest = read_manifest(model_folder)
    plan = Plan(
        "工单.xlsx", "1" * 64, COLUMNS, ROLES, "2026-11-23T09:00:00+08:00", "plain", manifest["name"],
        manifest["seal"], manifest["taxonomy"], "", chunk=CHUNK, writing={"format": "csv"},
    )  # fmt: skip
    return Bench({"plan": plan.as_dict(), "dry": False}, model_folder, rules)


@pytest.fixture(scope="module")
def here(bench: Bench) -> list[tuple[int, bytes]]:
    """What this process makes of the chunks."""
    return list(decided_here(bench, chunks()))


@pytest.fixture(scope="module")
def openers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openers")
    (folder / "openers.py").write_text(DEADLY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def spark(openers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    conf = {"spark.sql.warehouse.dir": str(folder / "warehouse"), "spark.sql.shuffle.partitions": "2"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(openers), str(ROOT)]))
        patch.chdir(folder)
        with opened_spark(replace(HERE, conf=conf)) as session:
            session.sparkContext.setLogLevel("OFF")
            yield session


def test_every_byte_is_that_of_the_local_engine(
    spark: SparkSession, bench: Bench, here: list[tuple[int, bytes]]
) -> None:
    found = list(decided_on(HERE, bench, chunks()))
    assert found == here
    tallies = [Done.unpacked(raw).tally for _, raw in found]
    assert sum(tally.read for tally in tallies) == 201
    assert sum(tally.rejected for tally in tallies) == 6


def test_a_run_goes_on_where_it_stopped(spark: SparkSession, bench: Bench, here: list[tuple[int, bytes]]) -> None:
    first = list(islice(decided_on(replace(HERE, slots=1), bench, chunks()), 3))
    rest = list(decided_on(replace(HERE, shipped=False), bench, islice(chunks(), 3, None)))
    assert first + rest == here


def test_the_code_must_be_the_same_everywhere(spark: SparkSession, bench: Bench, tmp_path: Path) -> None:
    for shipped in (False, True):
        made = packed(tmp_path, bench.model, shipped=shipped)
        job = Job(made, "openers:open_telling", {})
        [(_, raw)] = decided_by_spark(spark, job, islice(chunks(), 1))
        assert raw.decode().endswith("/nlp/__init__.py")
        with pytest.raises(SparkFailed, match="不是同一份"):
            list(decided_by_spark(spark, replace(job, parcel=replace(made, code="0" * 64)), chunks()))


def test_an_archive_that_changed_on_its_way_is_refused(spark: SparkSession, bench: Bench, tmp_path: Path) -> None:
    made = packed(tmp_path, bench.model, shipped=False)
    sent = made.path.replace(tmp_path / "jiesu-other.zip")
    with pytest.raises(SparkFailed, match=r"送到的 jiesu-other\.zip 与发出的不同"):
        list(decided_by_spark(spark, Job(replace(made, path=sent, digest="0" * 64), WORKER, bench.told), chunks()))


def test_a_model_that_is_not_the_plans_is_refused(spark: SparkSession, bench: Bench) -> None:
    told = {"plan": dict(bench.told["plan"]) | {"model_digest": "0" * 64}, "dry": False}
    with pytest.raises(SparkFailed, match="与这次运行开始时不同"):
        list(decided_on(HERE, replace(bench, told=told), chunks()))


def test_a_worker_that_dies_ends_the_run_and_what_was_decided_stays(
    spark: SparkSession, bench: Bench, tmp_path: Path
) -> None:
    made = packed(tmp_path, bench.model, shipped=False)
    found: list[tuple[int, bytes]] = []
    deadly = decided_by_spark(spark, Job(made, "openers:open_deadly", {"dies": 9}), chunks(), slots=1)
    with pytest.raises(SparkFailed, match=r"Python 工作进程意外退出.*--resume"):
        found.extend(deadly)
    assert found == [(number, b"%d:20" % number) for number in range(8)]
    job = Job(made, "openers:open_deadly", {"dies": -1})
    assert [number for number, _ in decided_by_spark(spark, job, islice(chunks(), 8, None))] == [8, 9, 10]


def test_a_fault_tells_nothing_of_a_petition(spark: SparkSession, bench: Bench, tmp_path: Path) -> None:
    made = packed(tmp_path, bench.model, shipped=False)
    with pytest.raises(SparkFailed, match="内部错误 KeyError") as caught:
        list(decided_by_spark(spark, Job(made, "openers:open_faulty", {}), chunks()))
    assert "张三" not in f"{caught.value} {caught.value.__cause__}"


def test_a_run_without_rows_has_no_answers(spark: SparkSession, bench: Bench) -> None:
    assert list(decided_on(HERE, bench, iter(()))) == []


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of several Parquet files, none of them in order."""
    folder = tmp_path_factory.mktemp("lake") / "tickets"
    numbers = [(number * 37) % 101 for number in range(101)]
    held = pa.table({
        "编号": numbers, "诉求内容": [f"第{number}号楼的路灯不亮。" for number in numbers],
        "件数": pa.array([None if number % 7 == 0 else number for number in numbers], pa.int32()),
        "一级": ["照明" if number else None for number in numbers], "同": [1] * 101,
        "受理时间": pa.array([datetime(2026, 3, 1, 9, number % 60) for number in numbers], pa.timestamp("us", "UTC")),
    })  # fmt: skip
    spark.createDataFrame(held).repartition(5).write.parquet(str(folder))
    return str(folder)


def test_a_table_is_read_in_the_order_of_its_column_again_and_again(spark: SparkSession, table: str) -> None:
    source = TableSource(spark, table, "编号")
    first = list(source.rows())
    assert [row.number for row in first] == list(range(1, 102))
    assert [row.cells[0] for row in first] == list(range(101))
    assert [row.cells[2] for row in first[:3]] == [None, 1, 2]
    assert str(first[3].cells[5]) == "2026-03-01 17:03:00+08:00"
    assert first == list(source.rows())
    assert (source.columns[:2], source.size()) == (("编号", "诉求内容"), 101)


def test_the_digest_is_that_of_the_content(spark: SparkSession, table: str, tmp_path: Path) -> None:
    digest = TableSource(spark, table, "编号").digest()
    frame = spark.read.parquet(table)
    for name, other in {"same": frame.repartition(2), "other": frame.where("`编号` < 100")}.items():
        other.write.parquet(str(tmp_path / name))
    assert TableSource(spark, str(tmp_path / "same"), "编号").digest() == digest
    assert TableSource(spark, str(tmp_path / "other"), "编号").digest() != digest


@pytest.mark.parametrize(
    ("order", "reason"), [("同", "有重复的值"), ("件数", "有空值"), ("没有", "没有列“没有”.*编号、诉求内容")]
)
def test_an_order_that_is_left_to_chance_is_refused(spark: SparkSession, table: str, order: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        TableSource(spark, table, order)


def test_a_table_that_is_not_there_is_named(spark: SparkSession, tmp_path: Path) -> None:
    for place in ("nowhere.tickets", str(tmp_path / "nowhere")):
        with pytest.raises(InputError, match=r"nowhere.*：读不了"):
            TableSource(spark, place, "编号")


@pytest.mark.parametrize("kind", ["table", "folder"])
def test_an_output_is_published_whole_and_never_written_over(
    spark: SparkSession, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = pa.table({"编号": [3, 1, 2], "接诉": ["甲", None, "乙"]})
    pq.write_table(held, tmp_path / "out.parquet")
    place = "default.answers" if kind == "table" else str(tmp_path / "answers")
    check_free(spark, place)
    monkeypatch.setattr("serving.backlog.spark.table.ROWS", 2)
    publish(spark, tmp_path / "out.parquet", place)
    assert [row.cells for row in TableSource(spark, place, "编号").rows()] == [(1, None), (2, "乙"), (3, "甲")]
    for again in (check_free, lambda spark, place: publish(spark, tmp_path / "out.parquet", place)):
        with pytest.raises(InputError, match="已经有了，不会覆盖"):
            again(spark, place)
    assert not [one.name for one in spark.catalog.listTables() if "draft" in one.name]


def test_a_folder_with_anything_else_is_not_written_over(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"已经有了|写不了"):
        check_free(spark, str(tmp_path))


CONNECTED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import orjson
from corpora.rows.row import Row
from serving.backlog.spark.opening import decided_on, open_table
from serving.backlog.spark.session import Cluster
from serving.backlog.workers import Bench
from serving.backlog.spark.cells import decoded
bench = Bench(orjson.loads(Path("told.json").read_bytes()), Path({model!r}), Path({rules!r}))
chunks = [(n, decoded((Path("chunks") / str(n)).read_bytes())) for n in range({count})]
cluster = Cluster({master!r}, slots=2)
source = open_table(cluster, "spark:" + {table!r}, "编号")
for number, raw in decided_on(cluster, bench, chunks):
    Path(f"answer-{{number}}").write_bytes(raw)
print([row.cells[0] for row in source.rows()] == list(range(101)))
"""


@pytest.fixture(scope="module")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Spark Connect server of its own, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("connect")
    command = [
        str(HOME / "bin" / "spark-submit"), "--master", "local[2]", "--conf", "spark.ui.enabled=false",
        "--conf", f"spark.connect.grpc.binding.port={port}", "--conf", "spark.connect.grpc.binding.address=127.0.0.1",
        "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=127.0.0.1",
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal",
    ]  # fmt: skip
    env = os.environ | {"SPARK_HOME": str(HOME), "PYSPARK_PYTHON": sys.executable}
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out)
    try:
        for _ in range(1_200):
            if "Spark Connect server started" in log.read_text(errors="replace"):
                break
            assert server.poll() is None, log.read_text(errors="replace")[-2000:]
            time.sleep(0.1)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def test_spark_connect_gives_the_same_bytes(
    connect: str, bench: Bench, here: list[tuple[int, bytes]], table: str, tmp_path: Path
) -> None:
    (tmp_path / "chunks").mkdir()
    for number, chunk in chunks():
        (tmp_path / "chunks" / str(number)).write_bytes(encoded(chunk))
    (tmp_path / "told.json").write_bytes(orjson.dumps(bench.told))
    code = CONNECTED.format(
        root=str(ROOT), model=str(bench.model), rules=str(bench.rules), count=len(here), master=connect, table=table
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-3000:]
    assert told.stdout.strip() == "True"
    assert [(number, (tmp_path / f"answer-{number}").read_bytes()) for number, _ in here] == here


BATCH = """
import sys
sys.path.insert(0, {root!r})
import jiesu
jiesu.COMMANDS["batch"] = "serving.backlog.commands:batch_command"
jiesu.main()
"""


def test_a_batch_by_spark_submit_is_that_of_this_machine(bench: Bench, tmp_path: Path) -> None:
    script = tmp_path / "batch.py"
    script.write_text(BATCH.format(root=str(ROOT)), encoding="utf-8")
    labels = ("住房", "照明", "环境")
    lines = [f"G{row},路灯不亮,第{row}号楼的路灯不亮。,2026-03-01 09:00,{labels[row % 3]}" for row in range(90)]
    lines[40] = "太,多,的,格,子,了"
    (tmp_path / "in.csv").write_text("\n".join(["工单编号,标题,诉求内容,受理时间,一级分类", *lines]), encoding="utf-8")
    submit = [str(HOME / "bin" / "spark-submit"), "--master", "local[2]", "--conf", "spark.ui.enabled=false"]
    env = os.environ | {"SPARK_HOME": str(HOME), "PYSPARK_PYTHON": sys.executable, "JIESU_HOME": str(tmp_path / "home")}
    for start, engine in (([sys.executable], "local"), (submit, "spark")):
        command = [*start, str(script), "batch", "in.csv", f"{engine}.csv", "--engine", engine, "--chunk", "20",
                   "--quiet", "--model", str(bench.model), "--now", "2026-11-23T09:00:00+08:00",
                   "--workers", "1"]  # fmt: skip
        told = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr[-3000:]
    for ending in ("", ".rejects.csv", ".traces"):
        assert (tmp_path / f"local.csv{ending}").read_bytes() == (tmp_path / f"spark.csv{ending}").read_bytes()
    here, there = (json.loads((tmp_path / f"{engine}.csv.manifest.json").read_bytes()) for engine in ("local", "spark"))
    assert here["plan_id"] == there["plan_id"]
    assert here["counts"] == there["counts"]
    assert here["counts"]["read"] == 90
    assert here["counts"]["rejected"] == 1


@pytest.mark.parametrize(
    ("master", "java", "reason"),
    [("local[2]", "exit 1", "Java 起不来：Spark 4 要 Java 17 或 21"), ("sc://127.0.0.1:1", "", "连不上 Spark Connect")],
)
def test_a_session_that_does_not_come_about_is_explained(master: str, java: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text(f"#!/bin/sh\necho 'UnsupportedClassVersionError' >&2\n{java}\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from serving.backlog.spark.session import Cluster, started\n"
        f"try:\n    started(Cluster({master!r}))\nexcept Exception as error:\n    print(error)\n"
    )
    env = os.environ | ({"JAVA_HOME": str(tmp_path)} if java else {})
    told = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert reason in told.stdout, told.stdout + told.stderr[-2000:]


def test_the_folder_of_the_code_is_the_tree() -> None:
    assert parcels.ROOT == ROOT
