"""A unit: what is written together, in one transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from serving.audit.chain import Chain
from serving.audit.record import Record

Row = Mapping[str, Any]
INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Unit:
    """Collects rows and audit records, which go to the database in one statement a table when the unit is closed.

    connection: for whatever else is to be read or written in the same transaction.
    """

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self.connection = connection
        self._chain = chain
        self._rows: dict[Table, list[Row]] = {}
        self._records: list[Record] = []

    def add(self, table: Table, *rows: Row) -> None:
        """Rows to be inserted; one that is there already, by its primary key, is left as it is."""
        self._rows.setdefault(table, []).extend(rows)

    def put(self, table: Table, row: Row) -> bool:
        """Insert a row at once; false where one with such a key is there already."""
        insert = self.insert(table).values(row).on_conflict_do_nothing()
        done = self.connection.execute(insert.execution_options(preserve_rowcount=True))
        return bool(done.rowcount)

    def insert(self, table: Table) -> Any:
        """An insert that can say what to do about a conflict, in the words of the database at hand."""
        return INSERTS[self.connection.dialect.name](table)

    def note(self, *records: Record) -> None:
        """Records for the audit."""
        self._records.extend(records)

    def close(self) -> None:
        """Write what was collected."""
        for table, rows in self._rows.items():
            if rows:
                self.connection.execute(_adding(self.connection.dialect.name, table), rows)
        self._chain.append(self.connection, self._records)

    @property
    def place(self) -> tuple[dict[Table, int], int]:
        """How much has been collected: `back` returns to it."""
        return {table: len(rows) for table, rows in self._rows.items()}, len(self._records)

    def back(self, place: tuple[dict[Table, int], int]) -> None:
        """Forget what was collected since a place."""
        counts, records = place
        for table, rows in self._rows.items():
            del rows[counts.get(table, 0) :]
        del self._records[records:]


@cache
def _adding(dialect: str, table: Table) -> Any:
    """Made once for each table: SQLAlchemy then need not work out each time that it knows the statement."""
    insert: Any = INSERTS[dialect](table)
    return insert.on_conflict_do_nothing()
