"""A new table: all that was read, under its own name and with its own values, the answers after it; or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from corpora.rows.row import Row
from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database.made import drop_made, table_digest
from serving.backlog.database.sink import NewTable, new_table
from tests.serving.backlog.database.conftest import Decided, Hall, made

OUT = Path("-")  # a table has no file


@dataclass
class Listed:
    """A source that is no database."""

    columns: tuple[str, ...]
    held: list[tuple[Any, ...]]
    name: str = "工单.csv"

    def rows(self) -> Iterator[Row]:
        return iter([Row(number, cells) for number, cells in enumerate(self.held, 2)])

    def digest(self) -> str:
        return "0" * 64


def test_rows_and_answers_stand_in_the_new_table(hall: Hall, decided: Decided) -> None:
    hall.fill(7)
    source = hall.source()
    run = decided(source, made())
    source.digest()  # a run checks where it will write before it reads
    sink = new_table(hall.url, run.plan, source)
    source.close()
    sink.finish(run.spool, OUT)
    rows = hall.ask('SELECT * FROM "answered" ORDER BY "id"')
    assert [row[:3] for row in rows] == hall.ask('SELECT * FROM "petition" ORDER BY "id"')
    assert hall.source(table="answered", key="id").columns == ("id", "内容", "old label", *KEYS)
    spooled = [orjson.loads(line)[3:] for line in run.spool.read_bytes().splitlines()]
    assert [list(row[3:]) for row in rows] == spooled
    assert all(row[3] for row in rows)
    assert hall.ask('SELECT COUNT(*) FROM "petition"') == [(7,)]


def test_values_of_all_kinds_pass(hall: Hall, decided: Decided) -> None:
    kinds = {"sqlite": "BLOB", "postgresql": "bytea", "mysql": "BLOB"}
    hall.tell(
        'CREATE TABLE "petition" ("id" INTEGER PRIMARY KEY, "内容" TEXT, "old label" TEXT, "金额" NUMERIC(9, 2), '
        f'"时间" TIMESTAMP NULL, "日" DATE, "附件" {kinds[hall.kind]}, "x" DOUBLE PRECISION)'
    )
    hall.tell("INSERT INTO \"petition\" VALUES (1, NULL, '', 12.50, '2026-11-23 09:12:03', '2026-11-23', NULL, 0.1)")
    hall.tell("INSERT INTO \"petition\" VALUES (2, '= 1 + 1', NULL, NULL, NULL, NULL, NULL, NULL)")
    source = hall.source()
    run = decided(source, made())
    new_table(hall.url, run.plan, source).finish(run.spool, OUT)
    rows = hall.ask('SELECT * FROM "answered" ORDER BY "id"')
    assert [row[:8] for row in rows] == hall.ask('SELECT * FROM "petition" ORDER BY "id"')
    answered = hall.source(table="answered", key="id")
    for name in ("金额", "时间", "附件"):
        assert str(answered.types[name]) == str(source.types[name])


def test_a_file_becomes_a_table(hall: Hall, decided: Decided) -> None:
    long = "水" * 100_000
    source = Listed(
        ("编号", "内容", "日期", "数", "额", "空"),
        [
            ("A-1", long, date(2026, 11, 23), 1, Decimal("12.50"), None),
            ("A-2", "路灯不亮\x00", datetime(2026, 11, 23, 9), 2.5, Decimal("0.125")),
        ],
    )
    run = decided(source, made(), {"id": ("编号",), "text": ("内容",)})
    new_table(hall.url, run.plan, source).finish(run.spool, OUT)
    first, second = hall.ask('SELECT "编号", "内容", "日期", "数", "额", "空" FROM "answered" ORDER BY "编号"')
    assert first[:4] == ("A-1", long, "2026-11-23", 1)
    assert (float(first[4]), float(second[4])) == (12.5, 0.125)
    assert second[1] == ("路灯不亮\ufffd" if hall.kind == "postgresql" else "路灯不亮\x00")
    assert second[2:4] == ("2026-11-23 09:00:00", 2.5)
    assert second[5] is None


def test_an_empty_source_makes_an_empty_table(hall: Hall, decided: Decided) -> None:
    source = Listed(("编号", "内容"), [])
    run = decided(source, made(), {"text": ("内容",)})
    new_table(hall.url, run.plan, source).finish(run.spool, OUT)
    assert hall.ask('SELECT * FROM "answered"') == []


def test_a_table_that_is_there_is_replaced_only_when_asked(hall: Hall, decided: Decided) -> None:
    hall.fill(3)
    hall.tell('CREATE TABLE "answered" ("x" INTEGER)')
    source = hall.source()
    run = decided(source, made())
    with pytest.raises(InputError, match="表 answered：已经有这个表；要替换它"):
        new_table(hall.url, run.plan, source)
    assert hall.ask('SELECT * FROM "answered"') == []
    sink = new_table(hall.url, run.plan, source, overwrite=True)
    assert hall.ask('SELECT "x" FROM "answered"') == []
    sink.finish(run.spool, OUT)
    assert len(hall.ask('SELECT "jiesu_category" FROM "answered"')) == 3


def test_the_table_that_is_read_is_not_replaced(hall: Hall, decided: Decided) -> None:
    hall.fill(3)
    source = hall.source()
    run = decided(source, made("petition"))
    with pytest.raises(InputError, match="就是读的那个表；要就地修改请用 --apply"):
        new_table(hall.url, run.plan, source, overwrite=True)


class Interrupted(Exception):
    """What ends a test's run half way."""


def test_nothing_half_is_there_and_it_can_be_done_again(hall: Hall, decided: Decided) -> None:
    hall.fill(5)
    source = hall.source()
    run = decided(source, made())
    sink = new_table(hall.url, run.plan, source)
    before = len(run.spool.read_bytes().splitlines())

    def interrupt(_c: Connection, _k: Any, statement: str, *_: Any) -> None:
        if statement.startswith("ALTER TABLE") and "answered" in statement:
            raise Interrupted

    event.listen(Engine, "before_cursor_execute", interrupt)
    try:
        with pytest.raises(Interrupted):
            sink.finish(run.spool, OUT)
    finally:
        event.remove(Engine, "before_cursor_execute", interrupt)
    with pytest.raises(InputError, match="没有这个表"):
        hall.source(table="answered")
    sink.finish(run.spool, OUT)
    assert hall.ask('SELECT COUNT(*) FROM "answered"') == [(before,)]
    with pytest.raises(InputError, match=r"库里有：answered、petition$"):
        hall.source(table="nothing")
    sink.finish(run.spool, OUT)  # killed before anybody noted that it was done
    assert hall.ask('SELECT COUNT(*) FROM "answered"') == [(before,)]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (("编号", "内容", ""), "第 3 列：没有列名"),
        (("编号", "内容", "内容"), "列 内容：有两列叫这个名字"),
        (("编号", "内容", "jiesu_unit"), "列 jiesu_unit：有两列"),
        (("编号", "内容", "a\x00b"), "第 3 列：没有列名"),
    ],
)
def test_columns_that_no_table_can_have_are_told(
    hall: Hall, decided: Decided, columns: tuple[str, ...], reason: str
) -> None:
    source = Listed(columns, [])
    run = decided(source, made(), {"id": ("编号",)})
    with pytest.raises(InputError, match=reason):
        new_table(hall.url, run.plan, source)


def test_names_are_as_long_as_the_database_allows(hall: Hall, decided: Decided) -> None:
    source = Listed(("内容", "诉" * 22 if hall.kind == "postgresql" else "诉" * 65), [])
    run = decided(source, made(), {"text": ("内容",)})
    if hall.kind == "sqlite":
        new_table(hall.url, run.plan, source)
        return
    with pytest.raises(InputError, match="名字太长"):
        new_table(hall.url, run.plan, source)


def test_too_many_columns_are_told_before_anything_is_decided(hall: Hall, decided: Decided) -> None:
    source = Listed(("内容", *(f"列{place}" for place in range(10_000))), [])
    run = decided(source, made(), {"text": ("内容",)})
    with pytest.raises(InputError, match="表 answered：要有 10020 列，这种数据库的表至多"):
        new_table(hall.url, run.plan, source)


def test_a_new_file_of_sqlite_is_made(tmp_path: Path, decided: Decided) -> None:
    source = Listed(("内容",), [("路灯不亮",)])
    run = decided(source, made(), {"text": ("内容",)})
    new_table(f"sqlite:///{tmp_path / 'new.db'}", run.plan, source).finish(run.spool, OUT)
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("SELECT 内容 FROM answered").fetchall() == [("路灯不亮",)]
    connection.close()
    with pytest.raises(InputError, match="写不了"):
        new_table(f"sqlite:///{tmp_path / 'no' / 'new.db'}", run.plan, source)


def test_a_table_that_nobody_changed_is_dropped_again(hall: Hall, decided: Decided) -> None:
    hall.fill(4)
    source = hall.source()
    run = decided(source, made())
    sink: NewTable = new_table(hall.url, run.plan, source)
    sink.finish(run.spool, OUT)
    digest = table_digest(hall.url, "answered")
    hall.tell('UPDATE "answered" SET "jiesu_unit" = \'x\' WHERE "id" = 3')
    assert not drop_made(hall.url, "answered", digest)
    assert table_digest(hall.url, "answered") != digest
    sink = new_table(hall.url, run.plan, source, overwrite=True)
    sink.finish(run.spool, OUT)
    assert table_digest(hall.url, "answered") == digest
    assert drop_made(hall.url, "answered", digest)
    assert drop_made(hall.url, "answered", digest)
    assert hall.ask('SELECT COUNT(*) FROM "petition"') == [(4,)]
