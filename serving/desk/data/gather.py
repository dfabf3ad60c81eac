"""Gather: what a retraining learns from, in one file: an upload, what people settled of it, and what they said besides.

Every row of the upload keeps its line, so that whatever is told of line 17 is told of line 17 of the upload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from corpora.rows.cell import text
from nlp.taxonomy import TASKS
from serving.desk.data import notes
from serving.desk.data.table import Columns, opened, rows_of
from serving.draft import drafted

SAID = ("id", "title", "text", *TASKS)  # what rows hold that do not come from the upload


@dataclass(frozen=True)
class Material:
    """An upload with its columns by role, the file of its settled labels, and files of further labelled rows."""

    upload: Path
    columns: Columns
    settled: Path | None = None
    more: Sequence[Path] = ()


@dataclass(frozen=True)
class Gathered:
    """How many rows there are, how many labels of the upload were changed, and how many rows came from elsewhere."""

    rows: int
    changed: int
    added: int


def gather(material: Material, out: Path) -> Gathered:
    """Write it, whole or not at all; raises `InputError` for an upload that cannot be read."""
    changes = _changes(material.settled)
    rows = changed = added = line = 0
    with drafted(out) as file:
        for number, row in _rows(material):
            mine = {task: changes[task, number] for task in TASKS if (task, number) in changes}
            changed += _change(row, material.columns, mine)
            file.write(b"\n" * (number - line - 1) + orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            rows, line = rows + 1, number
        for said in further(material.more):
            file.write(orjson.dumps(_named(said, material.columns), option=orjson.OPT_APPEND_NEWLINE))
            added += 1
    out.chmod(0o600)
    return Gathered(rows, changed, added)


def _changes(settled: Path | None) -> Mapping[tuple[str, int], str]:
    """(task, line) → the code that somebody put in the place of the label there; the last word counts."""
    last = {(note["task"], note["line"]): note for note in (notes.read(settled) if settled else [])}
    return {place: note["code"] for place, note in last.items() if not note["kept"]}


def _rows(material: Material) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of the upload under the columns that are learned from."""
    source = opened(material.upload)
    names = [name.strip() for name in source.columns]
    wanted = {column for columns in material.columns.values() for column in columns}
    for row in rows_of(source):
        cells = zip(names, map(text, row.cells), strict=False)
        yield row.number, {name: cell for name, cell in cells if name in wanted}


def _change(row: dict[str, str], columns: Columns, labels: Mapping[str, str]) -> int:
    """Put settled labels in; how many are others than before."""
    before = dict(row)
    for task, code in labels.items():
        row |= _label(task, code, columns)
    return sum(any(row[name] != before.get(name, "") for name in columns.get(task, (task,))) for task in labels)


def _label(task: str, code: str, columns: Columns) -> dict[str, str]:
    """A label as the columns of a task hold it; a code stands for a whole path."""
    first, *others = columns.get(task, (task,))
    return {first: code} | dict.fromkeys(others, "")


def further(paths: Sequence[Path]) -> Iterator[dict[str, str]]:
    """Labelled rows of other files; of each petition the last word counts, and none where it was passed over."""
    held: dict[str, dict[str, Any]] = {}
    for path in paths:
        held |= {f"{path} {note.get('id')}": note for note in notes.read(path)}
    for note in held.values():
        row = {name: str(note[name]) for name in SAID if note.get(name)}
        if any(task in row for task in TASKS) and "text" in row:
            yield row


def _named(said: Mapping[str, str], columns: Columns) -> dict[str, str]:
    """A row from elsewhere under the columns of the upload."""
    row: dict[str, str] = {}
    for role, value in said.items():
        row |= _label(role, value, columns)
    return row
