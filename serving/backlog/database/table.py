"""Tables as they are found in a database: columns, key, and rows by their key."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (
    Column,
    Connection,
    TableClause,
    and_,
    bindparam,
    column,
    inspect,
    select,
    table,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import SAWarning
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from nlp.errors import InputError
from serving.backlog.database.address import Address
from serving.backlog.database.cells import encoded, restored

NULL = NullType()  # values go to the driver as they are: what the database gave, it takes back
SHOWN = 10  # tables named where the wanted one is not there


@dataclass(frozen=True)
class Table:
    """A table. types: its columns in their order. primary: the columns of its primary key, if it has one."""

    name: str
    schema: str | None
    types: dict[str, TypeEngine[Any]]
    primary: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(self.types)

    @cached_property
    def clause(self) -> TableClause:
        """The table in statements, every name quoted where it has to be, no value changed on its way."""
        return table(self.name, *(column(name) for name in self.types), schema=self.schema)

    def rows(
        self, connection: Connection, key: Sequence[str], columns: Sequence[str], keys: Sequence[Sequence[Any]]
    ) -> dict[bytes, tuple[Any, ...]]:
        """The columns of the rows with these keys, locked where the database can; by the key as `encoded`."""
        own = self.clause.c
        query = select(*(own[name] for name in (*key, *columns))).where(among([own[name] for name in key], keys))
        found = connection.execute(query.with_for_update()).all()
        return {encoded(row[: len(key)]): tuple(row[len(key) :]) for row in found}

    def write(
        self, connection: Connection, key: Sequence[str], columns: Sequence[str], rows: Sequence[tuple[Any, Any]]
    ) -> None:
        """Put values into these columns of the rows with these keys; rows are (key, values), as `kept` makes them."""
        if not rows:
            return
        own = self.clause.c
        where = and_(*(own[name] == bindparam(f"jiesu key {place}", type_=NULL) for place, name in enumerate(key)))
        values = {own[name]: bindparam(f"jiesu value {place}", type_=NULL) for place, name in enumerate(columns)}
        parameters = [_named("key", cells) | _named("value", written) for cells, written in rows]
        connection.execute(update(self.clause).where(where).values(values), parameters)

    def add(self, connection: Connection, columns: Mapping[str, TypeEngine[Any]]) -> None:
        """Add empty columns."""
        operations = Operations(MigrationContext.configure(connection))
        for name, kind in columns.items():
            operations.add_column(self.name, Column(name, kind), schema=self.schema)

    def drop(self, connection: Connection, columns: Sequence[str]) -> None:
        """Drop columns."""
        operations = Operations(MigrationContext.configure(connection))
        for name in columns:
            operations.drop_column(self.name, name, schema=self.schema)


def among(key: Sequence[ColumnElement[Any]], keys: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    """Whether a row's key is one of these."""
    values = [tuple(restored(cell) for cell in one) for one in keys]
    if len(key) == 1:
        return key[0].in_(bindparam("keys", [one[0] for one in values], expanding=True, type_=NULL))
    return tuple_(*key).in_(values)


def _named(what: str, cells: Sequence[Any]) -> dict[str, Any]:
    return {f"jiesu {what} {place}": restored(cell) for place, cell in enumerate(cells)}


def exists(connection: Connection, name: str) -> bool:
    """Whether there is such a table or view."""
    return _placed(connection, name) is not None


def find_table(connection: Connection, address: Address, name: str) -> Table:
    """The table of a name, which may begin with a schema; raises `InputError` where it is not there."""
    placed = _placed(connection, name)
    if placed is None:
        known = "、".join(sorted(inspect(connection).get_table_names())[:SHOWN]) or "没有任何表"
        raise InputError(place=f"{address.name} 表 {name}", reason=f"没有这个表；库里有：{known}")
    inner, schema = placed
    found = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # types that SQLAlchemy does not know pass through all the same
        types = {str(each["name"]): each["type"] for each in found.get_columns(inner, schema)}
        primary = found.get_pk_constraint(inner, schema)["constrained_columns"]
    return Table(inner, schema, types, tuple(primary))


def split_name(connection: Connection, name: str) -> tuple[str, str | None]:
    """A table's name and its schema, for a table that is yet to be made."""
    schema, dot, inner = name.partition(".")
    if dot and schema in inspect(connection).get_schema_names():
        return inner, schema
    return name, None


def may_alter(connection: Connection, found: Table) -> bool:
    """Whether we may add columns; only PostgreSQL tells, where that is the owner's right."""
    if connection.dialect.name != "postgresql":
        return True
    name = connection.dialect.identifier_preparer.format_table(found.clause)
    owner = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:name)")
    return bool(connection.scalar(owner, {"name": name.replace("%%", "%")}))


def _placed(connection: Connection, name: str) -> tuple[str, str | None] | None:
    found = inspect(connection)
    if found.has_table(name):
        return name, None
    inner, schema = split_name(connection, name)
    return (inner, schema) if schema and found.has_table(inner, schema) else None
