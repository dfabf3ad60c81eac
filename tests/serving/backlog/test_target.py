"""Tables as sources and targets of a batch: in place only when asked for, and back again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from nlp.errors import InputError
from serving.backlog.asked import Asked, Tables
from serving.backlog.batch import Manner, Wanted, batch
from serving.backlog.begin import Wish
from serving.backlog.taking import taken_back
from tests.serving.backlog.desk import HEAD, NOW, Desk, read, tickets, written

COUNT = 23


@pytest.fixture
def url(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one table of tickets; what stands beside a table stands in the folder one is in."""
    monkeypatch.chdir(desk.folder)
    with sqlite3.connect(desk / "office.db") as connection:
        names = ", ".join(f'"{name}" TEXT' for name in HEAD[1:])
        connection.execute(f'CREATE TABLE 工单 ("{HEAD[0]}" TEXT PRIMARY KEY, {names})')
        connection.executemany("INSERT INTO 工单 VALUES (?, ?, ?, ?, ?)", tickets(COUNT))
    connection.close()
    return f"sqlite:///{desk / 'office.db'}"


def done(desk: Desk, source: str, out: str, *, dry: bool = False, **tables: Any) -> dict[str, Any]:
    asked = Asked(source, out, tables=Tables(**tables))
    return batch(desk.settings, asked, Wanted(chunk=10), Wish(NOW, dry), Manner(quiet=True), desk.said.append)


def table(desk: Desk, query: str = "SELECT * FROM 工单") -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(desk / "office.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_table_is_changed_in_place_only_with_apply_and_put_back(desk: Desk, url: str) -> None:
    before = table(desk)
    with pytest.raises(InputError, match="--apply"):
        done(desk, url, url, table="工单")
    assert done(desk, url, url, dry=True, table="工单")["kind"] == "dry-run"
    assert table(desk) == before
    manifest = done(desk, url, url, table="工单", apply=True, mapped={"category_name": "一级分类"})
    assert (manifest["kind"], manifest["written"], manifest["left"]["rows"]) == ("table", COUNT, 0)
    after = table(desk)
    assert all(row[4] != "老分类" for row in after)
    assert [row[:4] for row in after] == [row[:4] for row in before]
    path = Path("工单.manifest.json")
    with pytest.raises(InputError, match="--database"):
        taken_back(desk.settings, path, "", drop_columns=False)
    said = taken_back(desk.settings, path, url, drop_columns=True)
    assert f"还原了 {COUNT} 行" in said
    assert table(desk) == before


def test_a_table_becomes_a_file_and_a_file_a_table(desk: Desk, url: str) -> None:
    done(desk, url, str(desk / "out.csv"), table="工单")
    head, *rows = read(desk / "out.csv")
    assert tuple(head[: len(HEAD)]) == HEAD
    assert sorted(row[: len(HEAD)] for row in rows) == sorted(tickets(COUNT))
    written(desk / "in.csv", tickets(3))
    manifest = done(desk, str(desk / "in.csv"), url, out_table="新表")
    assert len(table(desk, "SELECT * FROM 新表")) == 3
    assert manifest["kind"] == "new-table"
    taken_back(desk.settings, Path("新表.manifest.json"), url, drop_columns=False)
    assert table(desk, "SELECT name FROM sqlite_master WHERE name = '新表'") == []


def test_a_table_without_a_name_and_apply_without_a_table_are_told(desk: Desk, url: str) -> None:
    written(desk / "in.csv", tickets(3))
    with pytest.raises(InputError, match="--out-table"):
        done(desk, str(desk / "in.csv"), url)
    with pytest.raises(InputError, match="只用于就地修改"):
        done(desk, str(desk / "in.csv"), str(desk / "out.csv"), apply=True)
