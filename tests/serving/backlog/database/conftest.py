"""A table of petitions on every kind of database, and what a run makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nlp.decider import Decider
from serving.backlog.database.address import WRITE, read_address
from serving.backlog.database.lines import PlaceLines, writing_in_place, writing_table
from serving.backlog.database.sink import TableLines
from serving.backlog.database.source import Database, open_database
from serving.backlog.deciding import Deciding
from serving.backlog.plan import Plan
from tests.mariadb import Mariadb
from tests.postgres import Postgres

NOW = "2026-11-23T09:12:03+08:00"
ROLES = {"text": ("内容",), "id": ("id",), "category": ("old label",)}  # in no order
KINDS = (
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.system),
    pytest.param("mysql", marks=pytest.mark.system),
)
TEXTS = (
    "小区门口的路灯不亮，晚上看不见路。",
    "楼上卫生间漏水到我家，找物业没人管。",
    "工地半夜还在打桩，孩子睡不着。",
    "垃圾桶满了三天没有人清。",
    "想问一下居住证怎么办理。",
)


@dataclass(frozen=True)
class Hall:
    """A city hall's database. quote: what stands round names in its statements."""

    url: str
    kind: str
    quote: str
    opened: list[Database] = field(default_factory=list)

    def tell(self, *statements: str) -> None:
        """Run statements in which names stand in double quotes, as they are."""
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace('"', self.quote))

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            cursor.execute(statement.replace('"', self.quote))
            return [tuple(row) for row in cursor.fetchall()]

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        with read_address(self.url).connected(WRITE) as connection, connection.begin():
            connection.exec_driver_sql("SELECT 1")  # so that the transaction has begun
            cursor = connection.connection.cursor()
            yield cursor
            cursor.close()

    def fill(self, rows: int = 10) -> None:
        """A table `petition` with a key, a Chinese column and one with a space, and an old label."""
        self.tell('CREATE TABLE "petition" ("id" INTEGER PRIMARY KEY, "内容" VARCHAR(500), "old label" VARCHAR(40))')
        values = ", ".join(f"({row}, '{TEXTS[row % len(TEXTS)]}', '旧{row % 3}')" for row in range(1, rows + 1))
        self.tell(f'INSERT INTO "petition" VALUES {values}')  # noqa: S608 - numbers and texts from above

    def source(self, **wanted: Any) -> Database:
        self.opened.append(open_database(self.url, **({"table": "petition"} | wanted)))
        return self.opened[-1]

    def digest(self) -> str:
        try:
            return self.source().digest()
        finally:
            self.close()

    def close(self) -> None:
        """End what was left open."""
        for source in self.opened:
            source.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    """A MariaDB of this session; a test that needs one fails where none is installed."""
    server = Mariadb()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def cabinet(postgres: Postgres) -> str:
    """The one database of PostgreSQL that these tests empty and use again: to make one takes it a second."""
    return postgres.create()


@pytest.fixture(params=KINDS)
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hall]:
    """An empty database of this test's own: SQLite, and in system tests the others as well."""
    if request.param == "sqlite":
        (tmp_path / "hall.db").touch()
        emptied = Hall(f"sqlite:///{tmp_path / 'hall.db'}", "sqlite", '"')
    elif request.param == "postgresql":
        emptied = Hall(request.getfixturevalue("cabinet"), "postgresql", '"')
        emptied.tell("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    else:
        server: Mariadb = request.getfixturevalue("mariadb")
        emptied = Hall(server.url(server.create()), "mysql", "`")
    yield emptied
    emptied.close()


@dataclass(frozen=True)
class Run:
    """What was decided of a source, as a spool on disk."""

    plan: Plan
    spool: Path


Decided = Callable[..., Run]


@pytest.fixture
def decided(decider: Decider, tmp_path: Path) -> Decided:
    """Decide all rows of a source for a way of writing."""

    def run(source: Any, writing: dict[str, str], roles: dict[str, tuple[str, ...]] = ROLES) -> Run:
        plan = Plan(
            source.name, source.digest(), tuple(source.columns), roles, NOW, "plain", "m", "", "t", "r", writing=writing
        )
        lines = (TableLines if writing["format"] == "table" else PlaceLines)(plan)
        answered = Deciding(plan, decider).answered(list(source.rows()))
        spool = tmp_path / f"spool-{writing['table']}-{plan.id[:8]}"
        spool.write_bytes(lines.head() + lines.rendered(answered))
        return Run(plan, spool)

    return run


def placed(mapped: dict[str, str] | None = None, *, key: Sequence[str] = ("id",), own: bool = True) -> dict[str, str]:
    return writing_in_place("petition", key, mapped or {}, own=own)


def made(table: str = "answered") -> dict[str, str]:
    return writing_table(table)
