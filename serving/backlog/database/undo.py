"""Undoing a change of a table: row by row, what was there before, where nobody has changed the row since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, false, or_, select, text

from nlp.errors import InputError
from serving.backlog.database.address import WRITE, read_address, ready
from serving.backlog.database.cells import held
from serving.backlog.database.change import GONE
from serving.backlog.database.fault import told
from serving.backlog.database.images import Head, Piece, read_head, read_pieces
from serving.backlog.database.left import Left, write_left
from serving.backlog.database.table import Table, find_table

SINCE = "修改以后又被改过"


@dataclass(frozen=True)
class Undone:
    """What came of it. restored: rows as they were before. left: rows that stay. dropped: columns that are gone."""

    restored: int
    left: int
    dropped: tuple[str, ...] = ()


class Undoing:
    """A change that is being taken back. Done again, or after a crash, it goes on where rows are not yet restored."""

    def __init__(self, connection: Connection, table: Table, head: Head, images: Path) -> None:
        self._connection = connection
        self._table = table
        self._head = head
        self._images = images
        self._places = [place for place, name in enumerate(head.columns) if name in table.columns]
        self.restored = 0
        """Rows as they were before."""

    def left(self) -> Iterator[Left]:
        """Restore all rows that can be; gives those that cannot."""
        for piece in read_pieces(self._images):
            with self._connection.begin():
                yield from self._undo(piece)

    def drop(self) -> tuple[str, ...]:
        """Drop the columns that the run added, if nobody has written anything else there."""
        added = [name for name in self._head.added if name in self._table.columns]
        own = self._table.clause.c
        full = or_(false(), *(own[name].is_not(None) for name in added))
        with self._connection.begin():
            if self._connection.execute(select(text("1")).select_from(self._table.clause).where(full).limit(1)).first():
                return ()
            self._table.drop(self._connection, added)
        return tuple(added)

    def _undo(self, piece: Piece) -> Iterator[Left]:
        columns = [self._head.columns[place] for place in self._places]
        found = self._table.rows(self._connection, self._head.key, columns, [image.key for image in piece.rows])
        back: list[tuple[list[Any], list[Any]]] = []
        for image in piece.rows:
            now = found.get(orjson.dumps(image.key))
            before, after = ([cells[place] for place in self._places] for cells in (image.before, image.after))
            if now is None:
                yield Left(image.key, (), GONE)
            elif (standing := held(now)) == before:
                self.restored += 1
            elif standing == after:
                back.append((image.key, before))
            else:
                pairs = zip(columns, standing, after, strict=True)
                yield Left(image.key, [name for name, one, other in pairs if one != other], SINCE)
        self._table.write(self._connection, self._head.key, columns, back)
        self.restored += len(back)


def undo_table(url: str, images: Path, left: Path, *, drop_columns: bool = False) -> Undone:
    """Take a change of a table back; raises `InputError`, after which it may be called again.

    url: of the database, for the file of before-images holds no password. left: where the rows are listed that stay.
    """
    address, head = read_address(url), read_head(images)
    place = f"{address.name} 表 {head.table}"
    with address.connected(WRITE) as connection, told(place):
        with connection.begin():
            table = find_table(connection, address, head.table)
        lacking = [name for name in (*head.key, *head.columns) if name not in (*table.columns, *head.added)]
        if lacking:
            raise InputError(place=f"{place} 列 {lacking[0]}", reason="没有这一列，不能撤销")
        undoing = Undoing(ready(connection), table, head, images)
        count = write_left(left, head.key, undoing.left())
        dropped = undoing.drop() if drop_columns and not count else ()
    return Undone(undoing.restored, count, dropped)
