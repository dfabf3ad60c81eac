"""A source in a database: a table or a query, streamed in the order of its key."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, FromClause, TextClause, column, func, or_, select, text
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from corpora.rows.row import Row
from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database.address import Address, Undecoded, read_address, ready
from serving.backlog.database.cells import encoded
from serving.backlog.database.fault import told
from serving.backlog.database.table import Table, exists, find_table

PAGE = 1000  # rows fetched at a time


@dataclass(frozen=True)
class Wanted:
    """What is to be read. key: columns, with commas between; where none are given, the table's primary key.

    query: what is read of the table, where that is not all; it may also stand alone.
    written: columns that the run itself will write. The answers among them are left out, and no change of one of them
    counts as a change of the source.
    """

    table: str = ""
    query: str = ""
    key: str = ""
    written: Collection[str] = field(default=())


class Held(NamedTuple):
    """A connection within a transaction that sees one moment. end: closes it, at the latest when nobody needs it."""

    connection: Connection
    end: weakref.finalize[..., Any]


class Database:
    """Rows of a table or a query, as the database holds them at one moment.

    `digest` keeps that moment for the next `rows`, so that what is read is what was digested while others go on
    writing; `close` lets it go.
    """

    def __init__(self, address: Address, wanted: Wanted, connection: Connection) -> None:
        self._address = address
        self._wanted = wanted
        words = [f"表 {wanted.table}" if wanted.table else "", "查询" if wanted.query else ""]
        self.name = " ".join(filter(None, [address.name, *words]))
        """Driver, host, database and table; no password."""
        found = self._table(connection)
        names = _query_columns(connection, self.name, wanted.query) if wanted.query or not found else found.columns
        left_out = set(wanted.written) & set(KEYS)
        self.columns = tuple(name for name in names if name not in left_out)
        """Their names, in the order of the table."""
        self.types: Mapping[str, TypeEngine[Any]] = found.types if found else {}
        """Types of the table's columns, where there is one."""
        self.key = self._checked_key(found)
        """The columns that tell one row from all others."""
        self._from: FromClause | TextClause = found.clause if found and not wanted.query else _inner(wanted.query)
        self._check_rows(connection, found)
        self._held: Held | None = None

    @property
    def kind(self) -> str:
        """sqlite, postgresql or mysql: where `types` mean something."""
        return self._address.kind

    def is_table(self, address: Address, table: str) -> bool:
        """Whether it reads this very table."""
        return self._address.url == address.url and self._wanted.table == table and not self._wanted.query

    def size(self) -> int:
        """Rows."""
        with self._address.connected() as connection, connection.begin():
            return connection.scalar(select(func.count()).select_from(self._from)) or 0

    def rows(self) -> Iterator[Row]:
        """Every record in the order of the key; raises `InputError` when the database is gone."""
        with self._taken() as connection, told(self.name):
            for number, cells in enumerate(self._cells(connection), 1):
                yield Row(number, cells, _reason(self.columns, cells))

    def digest(self) -> str:
        """SHA-256 of names and rows, but for the columns that the run itself will write."""
        self.close()
        connection = ready(self._address.opened())
        self._held = Held(connection, weakref.finalize(self, connection.close))
        counted = [place for place, name in enumerate(self.columns) if name not in self._wanted.written]
        digest = hashlib.sha256(encoded([self.columns[place] for place in counted]))
        with told(self.name):
            for cells in self._cells(connection):
                digest.update(b"\n" + encoded([cells[place] for place in counted]))
        return digest.hexdigest()

    def close(self) -> None:
        """End the connection that `digest` left open, if nobody has read since."""
        if self._held:
            self._held.end()
            self._held = None

    def _taken(self) -> Connection:
        """A connection that sees what was digested, if nobody has read since; else one of now."""
        held, self._held = self._held, None
        if held is None:
            return ready(self._address.opened())
        held.end.detach()
        return held.connection

    def _cells(self, connection: Connection) -> Iterator[tuple[Any, ...]]:
        columns: list[ColumnElement[Any]] = [column(name) for name in self.columns]
        query = select(*columns).select_from(self._from).order_by(*(column(name) for name in self.key))
        with connection.execution_options(yield_per=PAGE).execute(query) as result:
            for row in result:
                yield tuple(row)

    def _table(self, connection: Connection) -> Table | None:
        """The table; none for a query alone, or beside the name of a table that is yet to be made."""
        wanted = self._wanted
        if not wanted.table or (wanted.query and not exists(connection, wanted.table)):
            return None
        return find_table(connection, self._address, wanted.table)

    def _checked_key(self, found: Table | None) -> tuple[str, ...]:
        asked = self._wanted.key
        key = (asked,) if asked in self.columns else tuple(filter(None, (each.strip() for each in asked.split(","))))
        key = key or (found.primary if found else ())
        if not key:
            reason = "没有主键" if found else "查询没有说哪些列能区分每一行"
            raise InputError(place=self.name, reason=f"{reason}；请用 --key 列名 指定（几列用逗号隔开）")
        lacking = [name for name in key if name not in self.columns]
        if lacking:
            raise InputError(place=f"{self.name} 列 {lacking[0]}", reason=f"没有这一列；有：{'、'.join(self.columns)}")
        return key

    def _check_rows(self, connection: Connection, found: Table | None) -> None:
        """Raise `InputError` where the key does not tell rows apart; only SQLite has primary keys that are empty."""
        if found and not self._wanted.query and self.key == found.primary and self.kind != "sqlite":
            return
        key: list[ColumnElement[Any]] = [column(name) for name in self.key]
        place = f"{self.name} 列 {'、'.join(self.key)}"
        one = select(text("1")).select_from(self._from)
        if connection.execute(one.where(or_(*(each.is_(None) for each in key))).limit(1)).first():
            raise InputError(place=place, reason="有的行这一列是空的（NULL），不能用来区分每一行")
        if connection.execute(one.group_by(*key).having(func.count() > 1).limit(1)).first():
            raise InputError(place=place, reason="有重复的值，不能用来区分每一行")


def open_database(
    url: str, *, table: str = "", query: str = "", key: str = "", written: Collection[str] = ()
) -> Database:
    """A table, a query, or what a query gives of a table; raises `InputError` where it cannot be read in order.

    For `written` see `Wanted`.
    """
    address = read_address(url)
    if not table and not query.strip():
        raise InputError(place=address.name, reason="请用 --table 指定表，或用 --query 给出查询")
    wanted = Wanted(table, query.strip().rstrip(";"), key, written)
    with address.connected() as connection, connection.begin():
        return Database(address, wanted, connection)


def _inner(query: str) -> TextClause:
    """A query as a table; a line of its own, for it may end with a comment."""
    escaped = query.replace(":", "\\:")
    return text(f"(\n{escaped}\n) AS jiesu_query")


def _query_columns(connection: Connection, place: str, query: str) -> tuple[str, ...]:
    with told(place):
        found = connection.execute(select(text("*")).select_from(_inner(query)).where(text("1 = 0")))
        names = tuple(found.keys())
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise InputError(place=place, reason=f"结果有两列都叫 {twice}，请用 AS 改掉其中一个")
    return names


def _reason(columns: tuple[str, ...], cells: tuple[Any, ...]) -> str:
    """Why a row cannot be read: only SQLite keeps texts that are none."""
    broken = [name for name, cell in zip(columns, cells, strict=True) if type(cell) is Undecoded]
    return f"列 {broken[0]} 不是 UTF-8 文字" if broken else ""
