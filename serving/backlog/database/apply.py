"""Changing a table in place: answers into columns of their own, and in place of old labels, so that it can be undone.

Everything is decided first; then piece by piece, each in one transaction: rows are read again and locked, those that
have changed since are left, what is about to be replaced is put on disk, and only then the piece is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Boolean, Connection, Double, Text, false, update
from sqlalchemy.types import TypeEngine

from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database.address import WRITE, Address, read_address, ready
from serving.backlog.database.change import PIECE, Change, Wanted
from serving.backlog.database.fault import told
from serving.backlog.database.images import Head, Images, open_images, read_pieces
from serving.backlog.database.left import Left, write_left
from serving.backlog.database.lines import PlaceLines
from serving.backlog.database.table import Table, find_table, may_alter
from serving.backlog.plan import Plan

TYPES: dict[str, TypeEngine[Any]] = {"jiesu_confidence": Double(), "jiesu_needs_human": Boolean()}


@dataclass(frozen=True)
class Changed:
    """What came of it. written: rows that hold their answers. left: rows that were gone or had changed."""

    written: int
    left: int


class InPlace(PlaceLines):
    """A sink that changes the table itself; `finish` may be called again after a crash, with the same spool.

    images: the file of before-images.
    """

    def __init__(self, plan: Plan, address: Address, images: Path) -> None:
        super().__init__(plan)
        self.images = images
        """Where what is replaced is kept."""
        self._address = address
        self.place = f"{address.name} 表 {self.table}"
        """Database and table, as errors name them."""

    def check(self) -> None:
        """Raise `InputError`, before anything is decided, for a table that cannot be changed like this."""
        self._check_names()
        with self._address.connected(WRITE) as connection, told(self.place), connection.begin() as trial:
            table = find_table(connection, self._address, self.table)
            wanted = (*self.key, *self.watched, *self.mapped.values())
            lacking = next((name for name in wanted if name not in table.columns), "")
            if lacking:
                raise InputError(place=f"{self.place} 列 {lacking}", reason="没有这一列")
            self._try(connection, table)
            trial.rollback()  # SQLite could commit nothing while somebody reads

    def finish(self, spool: Path, out: Path) -> None:
        """Change the table; raises `InputError`, after which it may be called again."""
        with open_images(self.images) as images, self._address.connected(WRITE) as connection, told(self.place):
            self._begin(connection, images)
            table = self._found(connection)
            change = Change(ready(connection), table, self.key, self.watched, self.changed)
            with spool.open("rb") as lines:
                for number, wanted in enumerate(_pieces(lines)):
                    if number >= images.done:
                        _change(change, images, number, wanted)

    def outcome(self) -> Changed:
        """What came of it, after `finish`."""
        pieces = [(len(piece.rows), len(piece.left)) for piece in read_pieces(self.images)]
        return Changed(sum(written for written, _ in pieces), sum(left for _, left in pieces))

    def write_left(self, out: Path) -> int:
        """List the rows that were not written; gives their number."""
        rows = (Left(key, (), reason) for piece in read_pieces(self.images) for key, reason in piece.left)
        return write_left(out, self.key, rows)

    def _check_names(self) -> None:
        targets = list(self.mapped.values())
        twice = next((name for name in targets if targets.count(name) > 1 or name in (*self.key, *KEYS)), "")
        if twice:
            raise InputError(place=f"--map {twice}", reason="这一列写了两次，或者是用来区分每一行的")
        if not self.changed:
            raise InputError(place=self.place, reason="没有要写的列")

    def _try(self, connection: Connection, table: Table) -> None:
        """Whether we have the rights for it, without making anybody wait."""
        standing = [name for name in self.changed if name in table.columns] or list(self.key[:1])
        own = table.clause.c
        connection.execute(update(table.clause).where(false()).values({own[name]: own[name] for name in standing}))
        if self._missing(table) and not may_alter(connection, table):
            reason = "没有权限：不能给表加列（ALTER）；请让表的主人先加，或者只写 --map 的列"
            raise InputError(place=self.place, reason=reason)

    def _found(self, connection: Connection) -> Table:
        with connection.begin():
            return find_table(connection, self._address, self.table)

    def _missing(self, table: Table) -> dict[str, TypeEngine[Any]]:
        return {name: TYPES.get(name, Text()) for name in self.changed if name not in table.columns}

    def _begin(self, connection: Connection, images: Images) -> None:
        """Write down what is about to be done, then add the columns that are missing."""
        table = self._found(connection)
        missing = self._missing(table)
        head = Head(self.plan.id, self._address.name, self.table, self.key, self.changed, tuple(missing), PIECE)
        if images.head is None:
            images.begin(head)
        elif replace(images.head, added=()) != replace(head, added=()):
            reason = "里面是另一次修改的原值，不能覆盖；请先撤销那一次，或换一个输出名"
            raise InputError(place=self.images, reason=reason)
        with connection.begin():
            table.add(connection, missing)


def in_place(url: str, plan: Plan, images: Path) -> InPlace:
    """The sink for `--apply`; raises `InputError` for what cannot be done, before anything is decided."""
    sink = InPlace(plan, read_address(url), images)
    sink.check()
    return sink


def _change(change: Change, images: Images, number: int, wanted: Sequence[Wanted]) -> None:
    with change.connection.begin():
        images.add(change.made(number, wanted, images.doubtful))
    images.mark(number)


def _pieces(lines: BinaryIO) -> Iterator[list[Wanted]]:
    while piece := [Wanted(*orjson.loads(line)) for line in islice(lines, PIECE)]:
        yield piece
