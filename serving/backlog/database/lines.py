"""Lines: what a run keeps of decided rows until a database takes them; made in any process, without the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from nlp.errors import InputError
from serving.backlog.answers import COLUMNS, KEYS, Answered
from serving.backlog.database.cells import encoded, kept, row_digest
from serving.backlog.plan import Plan

TABLE, IN_PLACE = "table", "in-place"
"""Formats of a plan's `writing`."""


def writing_table(table: str) -> dict[str, str]:
    """What a plan says of its writing, where a new table is made."""
    return {"format": TABLE, "table": table}


def writing_in_place(table: str, key: Sequence[str], mapped: Mapping[str, str], *, own: bool = True) -> dict[str, str]:
    """What a plan says of its writing, where a table is changed.

    key: the columns that tell its rows apart. mapped: answer (`category` …) → column of the office that it replaces.
    own: whether the answers get columns of their own too. Raises `InputError` for an answer that there is not.
    """
    known = [column.key for column in COLUMNS]
    strange = next((name for name in mapped if name not in known), "")
    if strange:
        raise InputError(place=f"--map {strange}", reason=f"没有这项答案；有：{'、'.join(known)}")
    key_text, map_text = orjson.dumps(list(key)).decode(), orjson.dumps(dict(mapped)).decode()
    return {"format": IN_PLACE, "table": table, "key": key_text, "map": map_text, "own": "yes" if own else "no"}


class _Lines:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.table = plan.writing["table"]
        """The table that is written."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def finish(self, spool: Path, out: Path) -> None:
        """Leave the lines as they are: a database takes them afterwards."""
        spool.replace(out)


class TableLines(_Lines):
    """For every decided row a line of JSON: its cells, then the answers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the new table."""
        return (*self.plan.columns, *KEYS)

    def rendered(self, answered: Sequence[Answered]) -> bytes:
        """The lines of a chunk."""
        return b"".join(self._line(one) for one in answered if one.decision is not None)

    def _line(self, one: Answered) -> bytes:
        missing = (None,) * (len(self.plan.columns) - len(one.row.cells))
        return encoded((*one.row.cells, *missing, *one.values)) + b"\n"


class PlaceLines(_Lines):
    """For every decided row a line of JSON: its key, the digest of what was decided on, the answers to be written."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.key: tuple[str, ...] = tuple(orjson.loads(plan.writing["key"]))
        """The columns that tell rows apart."""
        self.mapped: dict[str, str] = orjson.loads(plan.writing["map"])
        """Answer → column of the office that it replaces."""
        self.own = plan.writing["own"] == "yes"
        """Whether the answers get columns of their own too."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns that are written."""
        return (*(KEYS if self.own else ()), *self.mapped.values())

    @property
    def watched(self) -> tuple[str, ...]:
        """What was decided on, and what is replaced: a row where it has changed since it was read is left.

        In the order of the source: that of the roles is another one once the plan was on disk.
        """
        watched = {name for columns in self.plan.roles.values() for name in columns} | set(self.mapped.values())
        return tuple(name for name in self.plan.columns if name in watched)

    def rendered(self, answered: Sequence[Answered]) -> bytes:
        """The lines of a chunk."""
        places = {name: place for place, name in enumerate(self.plan.columns)}
        key, watched = [places[name] for name in self.key], [places[name] for name in self.watched]
        answers = {column.key: place for place, column in enumerate(COLUMNS)}
        chosen = [*(range(len(KEYS)) if self.own else ()), *(answers[name] for name in self.mapped)]
        lines = []
        for one in answered:
            if one.decision is not None:
                cells, values = one.row.cells, one.values
                digest = row_digest([cells[place] for place in watched])
                line = [kept([cells[place] for place in key]), digest, [values[place] for place in chosen]]
                lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        return b"".join(lines)
