"""Sources: what is read, in which order, and what is refused before the first row."""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database.source import open_database
from tests.mariadb import Mariadb
from tests.postgres import Postgres
from tests.serving.backlog.database.conftest import Hall


def test_a_table_is_read_in_the_order_of_its_key(hall: Hall) -> None:
    hall.fill(3)
    hall.tell("""INSERT INTO "petition" VALUES (-5, NULL, '它''s <x> %s :a')""")
    source = hall.source()
    assert source.columns == ("id", "内容", "old label")
    rows = list(source.rows())
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert rows[0].cells == (-5, None, "它's <x> %s :a")
    assert [row.cells[0] for row in rows] == [-5, 1, 2, 3]
    assert source.size() == 4
    assert list(source.rows()) == rows


def test_many_rows_are_streamed(hall: Hall) -> None:
    hall.fill(2500)
    assert [row.cells[0] for row in hall.source().rows()] == list(range(1, 2501))


def test_a_composite_key_orders_by_all_its_columns(hall: Hall) -> None:
    hall.tell('CREATE TABLE "t" ("b" INTEGER, "a" VARCHAR(9), "x" INTEGER, PRIMARY KEY ("a", "b"))')
    hall.tell("INSERT INTO \"t\" VALUES (2, 'p', 1), (1, 'q', 2), (1, 'p', 3)")
    source = hall.source(table="t")
    assert source.key == ("a", "b")
    assert [row.cells for row in source.rows()] == [(1, "p", 3), (2, "p", 1), (1, "q", 2)]
    assert [row.cells[2] for row in hall.source(table="t", key="b, a").rows()] == [3, 2, 1]


def test_names_may_be_anything(hall: Hall) -> None:
    name = "工单 ; drop table x -- %s"
    hall.tell(f'CREATE TABLE "{name}" ("编号 a:b" INTEGER PRIMARY KEY, "select" VARCHAR(9), "it\'s %" VARCHAR(9))')
    hall.tell(f"INSERT INTO \"{name}\" VALUES (1, 'a', 'b')")  # noqa: S608
    source = hall.source(table=name)
    assert [row.cells for row in source.rows()] == [(1, "a", "b")]
    assert len(source.digest()) == 64
    source.close()


def test_a_table_name_is_never_a_statement(hall: Hall) -> None:
    hall.fill(2)
    with pytest.raises(InputError, match="没有这个表；库里有：petition"):
        hall.source(table='petition"; DROP TABLE petition; --')
    assert hall.source().size() == 2


def test_a_query_is_read_in_the_order_of_the_key_given(hall: Hall) -> None:
    hall.fill(5)
    query = 'SELECT "id" AS n, \'12:30\' AS t, \'x%y\' AS p FROM "petition" WHERE "id" > 2 -- those; only'.replace(
        '"', hall.quote
    )
    source = hall.source(table="", query=query, key="n")
    assert [row.cells for row in source.rows()] == [(3, "12:30", "x%y"), (4, "12:30", "x%y"), (5, "12:30", "x%y")]
    assert source.size() == 3


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DELETE FROM petition", "语句不对"),
        ("SELECT nothing FROM petition", "没有这个表或列|语句不对"),
        ("SELECT 1 AS n) AS a; DROP TABLE petition; --", "语句不对|数据库报错|不能用"),
    ],
)
def test_a_query_that_is_none_is_refused(hall: Hall, query: str, reason: str) -> None:
    hall.fill(2)
    with pytest.raises(InputError, match=reason):
        hall.source(table="", query=query, key="n")
    assert hall.source().size() == 2


def test_a_query_may_choose_rows_of_a_table(hall: Hall) -> None:
    hall.fill(5)
    query = 'SELECT "id", "内容" FROM "petition" WHERE "id" < 3;'.replace('"', hall.quote)
    source = hall.source(query=query)
    assert (source.key, source.columns) == (("id",), ("id", "内容"))
    assert [row.cells[0] for row in source.rows()] == [1, 2]
    assert source.name.endswith("表 petition 查询")


def test_what_a_query_calls_cannot_write(hall: Hall) -> None:
    """Only PostgreSQL has functions that write: it reads in a transaction that may not."""
    hall.fill(2)
    if hall.kind != "postgresql":
        return
    hall.tell("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM petition RETURNING 1'")
    with pytest.raises(InputError, match="只能读"):
        list(hall.source(table="", query="SELECT f() AS n", key="n").rows())
    assert hall.source().size() == 2


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"table": "loose"}, "没有主键；请用 --key"),
        ({"table": "loose", "key": "x"}, "列 x：没有这一列；有：a、b"),
        ({"table": "loose", "key": "a"}, "列 a：有重复的值"),
        ({"table": "loose", "key": "b"}, "列 b：有的行这一列是空的"),
        ({"table": "", "query": " "}, "请用 --table 指定表，或用 --query"),
        ({"table": "", "query": "SELECT 1 AS n"}, "查询没有说哪些列"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused(hall: Hall, wanted: dict[str, str], reason: str) -> None:
    hall.tell('CREATE TABLE "loose" ("a" INTEGER, "b" INTEGER)', 'INSERT INTO "loose" VALUES (1, 1), (1, 2), (2, NULL)')
    with pytest.raises(InputError, match=reason):
        hall.source(**wanted)


def test_a_key_of_two_columns_may_repeat_each(hall: Hall) -> None:
    hall.tell('CREATE TABLE "loose" ("a" INTEGER, "b" INTEGER)', 'INSERT INTO "loose" VALUES (1, 2), (1, 1)')
    assert [row.cells for row in hall.source(table="loose", key="a,b").rows()] == [(1, 1), (1, 2)]


def test_the_digest_tells_whether_anything_has_changed(hall: Hall) -> None:
    hall.fill(3)
    first = hall.digest()
    assert hall.digest() == first
    hall.tell('UPDATE "petition" SET "内容" = NULL WHERE "id" = 2')
    second = hall.digest()
    hall.tell('UPDATE "petition" SET "内容" = \'\' WHERE "id" = 2')
    assert len({first, second, hall.digest()}) == 3


def test_the_columns_that_a_run_writes_do_not_count(hall: Hall) -> None:
    hall.fill(3)
    written = {*KEYS, "old label"}
    first = hall.source(written=written)
    before = first.digest()
    first.close()
    hall.tell('ALTER TABLE "petition" ADD COLUMN "jiesu_category" VARCHAR(9)')
    hall.tell('UPDATE "petition" SET "old label" = \'new\', "jiesu_category" = \'leak\'')
    again = hall.source(written=written)
    assert again.digest() == before
    assert again.columns == ("id", "内容", "old label")
    assert [row.cells[2] for row in again.rows()] == ["new"] * 3
    assert "jiesu_category" in hall.source().columns


def test_what_is_read_is_what_was_digested(hall: Hall) -> None:
    if hall.kind == "sqlite":  # whose readers else make writers wait
        connection = sqlite3.connect(hall.url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    hall.fill(3)
    source = hall.source()
    source.digest()
    hall.tell('DELETE FROM "petition" WHERE "id" = 2')
    assert [row.cells[0] for row in source.rows()] == [1, 2, 3]
    assert [row.cells[0] for row in source.rows()] == [1, 3]


def test_texts_that_are_none_are_rejects(tmp_path: Path) -> None:
    path = tmp_path / "hall.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB)")
    connection.execute("INSERT INTO t VALUES (1, CAST(x'c3' AS TEXT), x'ff'), (2, 'good', NULL)")
    connection.commit()
    connection.close()
    source = open_database(f"sqlite:///{path}", table="t")
    rows = list(source.rows())
    assert [row.reason for row in rows] == ["列 a 不是 UTF-8 文字", ""]
    assert rows[0].cells[2] == b"\xff"
    source.digest()
    source.close()


def test_a_very_long_text_passes(hall: Hall) -> None:
    kind = "LONGTEXT" if hall.kind == "mysql" else "TEXT"
    hall.tell(f'CREATE TABLE "petition" ("id" INTEGER PRIMARY KEY, "内容" {kind})')
    hall.tell('INSERT INTO "petition" VALUES (1, \'' + "水" * 1_000_000 + "')")
    ((_, text),) = [row.cells for row in hall.source().rows()]
    assert len(text) == 1_000_000


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("oracle://u:s3cret@h/d", "须是"),
        ("not a url with s3cret", "须是"),
        ("sqlite://", "须是"),
        ("postgresql://u:s3cret@h:port/d", "须是"),
        ("postgresql://u:s3cret@127.0.0.1:1/d", r"postgresql://u:\*\*\*@127.0.0.1:1/d：连不上"),
        ("mysql://u:s3cret@127.0.0.1:1/d", r"mysql://u:\*\*\*@127.0.0.1:1/d：连不上"),
        ("sqlite:////nowhere/at/all.db", "没有这个数据库文件"),
    ],
)
def test_a_database_that_is_not_there_is_named_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        open_database(url, table="t")
    assert "s3cret" not in str(raised.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hall.db"
    path.write_text("编号,内容\n" * 100, encoding="utf-8")
    with pytest.raises(InputError, match="不是 SQLite 数据库"):
        open_database(f"sqlite:///{path}", table="t")


def test_the_name_holds_no_password(hall: Hall) -> None:
    hall.fill(1)
    mark = "&" if "?" in hall.url else "?"
    url = hall.url if hall.kind == "sqlite" else f"{hall.url}{mark}connect_timeout=9"
    source = open_database(url, table="petition")
    assert source.name.endswith(" 表 petition")
    assert "connect_timeout" not in source.name


@pytest.mark.system
def test_times_without_a_zone_are_chinas_and_odd_values_are_text(postgres: Postgres) -> None:
    hall = Hall(postgres.create(), "postgresql", '"')
    hall.tell(
        """CREATE TABLE t (id numeric(20) PRIMARY KEY, at timestamptz, day date, far timestamp, doc jsonb, tags text[],
        span interval, price numeric(9, 2), raw bytea, sure boolean, code uuid)""",
        """INSERT INTO t VALUES (12345678901234567890, '2026-11-23T01:00:00Z', '2026-11-23', 'infinity', '{"a": [1]}',
        '{x,"y z"}', '1 day 02:00', 12.50, '\\xff00', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')""",
    )
    (row,) = hall.source(table="t").rows()
    assert row.cells[0] == Decimal("12345678901234567890")
    assert str(row.cells[1]) == "2026-11-23 09:00:00+08:00"
    assert row.cells[2:7] == (date(2026, 11, 23), "infinity", '{"a": [1]}', '{x,"y z"}', "1 day 02:00:00")
    assert row.cells[7:10] == (Decimal("12.50"), b"\xff\x00", True)


@pytest.mark.system
def test_a_table_in_a_schema_is_found(postgres: Postgres) -> None:
    hall = Hall(postgres.create(), "postgresql", '"')
    hall.tell(
        "CREATE SCHEMA hotline", "CREATE TABLE hotline.t (id int PRIMARY KEY)", "INSERT INTO hotline.t VALUES (7)"
    )
    assert [row.cells for row in hall.source(table="hotline.t").rows()] == [(7,)]


@pytest.mark.system
def test_somebody_without_the_right_to_read_is_told(postgres: Postgres, mariadb: Mariadb) -> None:
    url = postgres.create()
    Hall(url, "postgresql", '"').tell("CREATE TABLE t (id int PRIMARY KEY)", "CREATE ROLE nobody_reads LOGIN")
    with pytest.raises(InputError, match="没有权限"):
        list(open_database(url.replace("postgres@", "nobody_reads@"), table="t").rows())
    name = mariadb.create()
    mariadb.tell("CREATE USER stranger@localhost IDENTIFIED BY 's3cret'")
    with pytest.raises(InputError, match="用户名或口令不对") as raised:
        open_database(mariadb.url(name, "stranger", "wrong-s3cret"), table="t")
    assert "s3cret" not in str(raised.value)


@pytest.mark.system
def test_zero_dates_and_long_times_of_mysql_are_text(mariadb: Mariadb) -> None:
    hall = Hall(mariadb.url(mariadb.create()), "mysql", "`")
    hall.tell("CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, d DATETIME, h TIME, b BIT(3))")
    hall.tell("SET SESSION sql_mode = ''", "INSERT INTO t VALUES (18446744073709551615, '0000-00-00', '300:00:01', 5)")
    source = hall.source(table="t")
    source.digest()
    (row,) = source.rows()
    assert row.cells == (18446744073709551615, "0000-00-00 00:00:00", "300:00:01", b"\x05")
