"""A change of some rows of a table: answers in, with what was there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from serving.backlog.database.cells import held, row_digest
from serving.backlog.database.images import Image, Piece
from serving.backlog.database.table import Table

PIECE = 500  # rows in one transaction, so that nobody waits long for a row
GONE, CHANGED = "这一行已经不在", "读过以后被改过"


class Wanted(NamedTuple):
    """What a row is to hold. digest: of what was decided on, when it was read. key, values: as `kept` makes them."""

    key: list[Any]
    digest: str
    values: list[Any]


@dataclass(frozen=True)
class Change:
    """A table, and its columns. key: what tells rows apart. watched: what was decided on. changed: what is written."""

    connection: Connection
    table: Table
    key: tuple[str, ...]
    watched: tuple[str, ...]
    changed: tuple[str, ...]

    def made(self, number: int, wanted: Sequence[Wanted], doubtful: Piece | None) -> Piece:
        """Write a piece; nothing is committed.

        doubtful: what an earlier process was about to write when it ended; what of it is there already stays.
        """
        found = self._found([one.key for one in wanted])
        earlier = {orjson.dumps(image.key): image for image in doubtful.rows} if doubtful else {}
        rows: list[Image] = []
        left: list[tuple[list[Any], str]] = []
        fresh: list[tuple[Wanted, list[Any]]] = []
        for one in wanted:
            name = orjson.dumps(one.key)
            image, (digest, now) = earlier.get(name), found.get(name, ("", None))
            if image and image.after == now:
                rows.append(image)
            elif now is None:
                left.append((one.key, GONE))
            elif digest != one.digest or (image and image.before != now):
                left.append((one.key, CHANGED))
            else:
                fresh.append((one, now))
        return Piece(number, rows + self._written(fresh), left)

    def _written(self, fresh: Sequence[tuple[Wanted, list[Any]]]) -> list[Image]:
        """What the rows were, and are now: the database may hold a value in another form than it was sent."""
        if not fresh:
            return []
        self.table.write(self.connection, self.key, self.changed, [(one.key, one.values) for one, _ in fresh])
        found = self._found([one.key for one, _ in fresh])
        return [Image(one.key, one.digest, before, found[orjson.dumps(one.key)][1]) for one, before in fresh]

    def _found(self, keys: Sequence[list[Any]]) -> dict[bytes, tuple[str, list[Any]]]:
        """The rows with these keys, as they are now: the digest of what is watched, and what is to be changed."""
        rows = self.table.rows(self.connection, self.key, (*self.watched, *self.changed), keys)
        place = len(self.watched)
        return {key: (row_digest(cells[:place]), held(cells[place:])) for key, cells in rows.items()}
