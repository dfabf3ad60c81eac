"""A new table as the output of a backlog: filled under a name of its own, then given the one it is wanted under."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, MetaData, Text, bindparam, column, insert, table
from sqlalchemy import Table as Definition
from sqlalchemy.types import NullType, TypeEngine

from corpora.rows.row import Source
from nlp.errors import InputError
from nlp.text import REPLACEMENT
from serving.backlog.database.address import WRITE, Address, read_address
from serving.backlog.database.cells import restored
from serving.backlog.database.fault import told
from serving.backlog.database.kinds import TEXT, Kind, kind_of, type_of
from serving.backlog.database.lines import TableLines
from serving.backlog.database.source import Database
from serving.backlog.database.table import NULL, exists, split_name
from serving.backlog.plan import Plan

PAGE = 1000  # rows in one transaction
MOST = {"sqlite": 2000, "postgresql": 1600, "mysql": 1017}  # columns of a table
LONGEST = {"postgresql": 63, "mysql": 64}  # of a name: bytes there, characters here
MIXED = ("sqlite", "mysql")  # where a and A are one column
NUL = "\x00"
THERE = "已经有这个表；要替换它（上次写完它以后才被打断的，也一样）请用 --overwrite"


class NewTable(TableLines):
    """A sink that makes a table; `finish` may be called again after a crash, with the same spool.

    types: of those columns whose type is known, as the same kind of database has it; the others get the type that all
    of their cells fit. overwrite: a table of that name is replaced.
    """

    def __init__(
        self, plan: Plan, address: Address, types: Mapping[str, TypeEngine[Any]], *, overwrite: bool = False
    ) -> None:
        super().__init__(plan)
        self._address = address
        self._known = {name: kind for name, kind in types.items() if not isinstance(kind, NullType)}
        self._overwrite = overwrite
        self.place = f"{address.name} 表 {self.table}"
        """Database and table, as errors name them."""

    def check(self) -> None:
        """Raise `InputError`, before anything is decided, for a table that cannot be made."""
        self._check_names()
        self._address.make()
        with self._address.connected(WRITE) as connection, told(self.place):
            # Taken back, for a reader may be there before whom SQLite commits nothing; MySQL takes no table back, and
            # has to drop it.
            with connection.begin() as trial:
                if exists(connection, self.table) and not self._overwrite:
                    raise InputError(
                        place=self.place,
                        reason="已经有这个表；要替换它（上次写完它以后才被打断的，也一样）请用 --overwrite",
                    )
                draft = self._draft(connection, {name: self._known.get(name, TEXT) for name in self.names})
                trial.rollback()
            with connection.begin() as trial:
                draft.drop(connection, checkfirst=True)
                trial.rollback()

    def finish(self, spool: Path, out: Path) -> None:
        """Make, fill and rename the table; raises `InputError`, after which it may be called again."""
        with self._address.connected(WRITE) as connection, told(self.place):
            types = self._types(spool)
            with connection.begin():
                draft = self._draft(connection, types)
            texts = [isinstance(kind, Text) for kind in types.values()]
            for rows in _pages(spool):
                with connection.begin():
                    self._fill(connection, draft, [self._cells(row, texts) for row in rows])
            self._rename(connection, draft)

    def _check_names(self) -> None:
        """A database has no column without a name, and none twice."""
        most = MOST[self._address.kind]
        if len(self.names) > most:
            raise InputError(place=self.place, reason=f"要有 {len(self.names)} 列，这种数据库的表至多 {most} 列")
        seen: set[str] = set()
        longest = LONGEST.get(self._address.kind)
        for place, name in enumerate(self.names, 1):
            same = name.casefold() if self._address.kind in MIXED else name
            size = len(name.encode()) if self._address.kind == "postgresql" else len(name)
            if not name.strip() or NUL in name:
                raise InputError(place=f"第 {place} 列", reason="没有列名，放不进数据库的表")
            if same in seen:
                raise InputError(place=f"列 {name}", reason="有两列叫这个名字，放不进数据库的表；请改掉其中一个")
            if longest and size > longest:
                raise InputError(place=f"列 {name}", reason=f"名字太长，这种数据库至多 {longest} 个字节（字符）")
            seen.add(same)

    def _types(self, spool: Path) -> dict[str, TypeEngine[Any]]:
        """The type of every column: the known one, else what all its cells fit."""
        names = self.names
        open_places = [place for place, name in enumerate(names) if name not in self._known]
        kinds: dict[int, set[Kind]] = {place: set() for place in open_places}
        for rows in _pages(spool):
            for row in rows:
                for place in open_places:
                    if row[place] is not None:
                        kinds[place].add(kind_of(row[place]))
        found = {names[place]: type_of(kinds[place], self._address.kind) for place in open_places}
        return {name: found.get(name) or self._known[name] for name in names}

    def _draft(self, connection: Connection, types: Mapping[str, TypeEngine[Any]]) -> Definition:
        """The table under its draft's name, empty."""
        _, schema = split_name(connection, self.table)
        columns = [Column(name, kind) for name, kind in types.items()]
        draft = Definition(self._name("draft"), MetaData(), *columns, schema=schema)
        draft.drop(connection, checkfirst=True)
        draft.create(connection)
        return draft

    def _fill(self, connection: Connection, draft: Definition, rows: list[dict[str, Any]]) -> None:
        target = table(draft.name, *(column(each.name) for each in draft.columns), schema=draft.schema)
        binds = {own: bindparam(f"jiesu value {place}", type_=NULL) for place, own in enumerate(target.c)}
        connection.execute(insert(target).values(binds), rows)

    def _cells(self, row: list[Any], texts: Sequence[bool]) -> dict[str, Any]:
        return {
            f"jiesu value {place}": self._cell(cell, is_text)
            for place, (cell, is_text) in enumerate(zip(row, texts, strict=True))
        }

    def _cell(self, cell: Any, is_text: bool) -> Any:
        value = restored(cell)
        if (is_text and value is not None and not isinstance(value, bytes)) or isinstance(value, Decimal):
            value = str(value)
        if isinstance(value, str) and self._address.kind == "postgresql":
            return value.replace(NUL, REPLACEMENT)  # the one character that it cannot hold
        return value

    def _rename(self, connection: Connection, draft: Definition) -> None:
        """Put the draft in the place of what is there; one step after the other where DDL knows no transactions."""
        inner, schema = split_name(connection, self.table)
        operations = Operations(MigrationContext.configure(connection))
        old = Definition(self._name("old"), MetaData(), schema=schema)
        with connection.begin():
            if exists(connection, self.table):
                old.drop(connection, checkfirst=True)
                operations.rename_table(inner, old.name, schema=schema)
            operations.rename_table(draft.name, inner, schema=schema)
            old.drop(connection, checkfirst=True)

    def _name(self, what: str) -> str:
        return f"jiesu_{what}_{hashlib.sha256(self.table.encode()).hexdigest()[:16]}"


def new_table(url: str, plan: Plan, source: Source, *, overwrite: bool = False) -> NewTable:
    """The sink for a table that is made; raises `InputError` for what cannot be, before anything is decided."""
    address = read_address(url)
    types: Mapping[str, TypeEngine[Any]] = {}
    if isinstance(source, Database):
        types = source.types if source.kind == address.kind else {}
        if source.is_table(address, plan.writing["table"]):
            raise InputError(place=source.name, reason="就是读的那个表；要就地修改请用 --apply")
    sink = NewTable(plan, address, types, overwrite=overwrite)
    sink.check()
    return sink


def _pages(spool: Path) -> Iterator[list[list[Any]]]:
    with spool.open("rb") as lines:
        while page := [orjson.loads(line) for line in islice(lines, PAGE)]:
            yield page
