"""Where labelled petitions come from: the project's own corpus, a table of the office, or a Hugging Face data set."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from corpora.columns import Chosen, choose
from corpora.default import CORPUS
from corpora.hub import read_hub
from corpora.moments import moment
from corpora.petitions import corpus_hash, read_rows
from corpora.rows.open import KNOWN, OLD
from corpora.tables import Table, open_table
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import TASKS
from training.dataset import Dataset

SEPARATOR = re.compile(r"\s*(?:[-－—=]+[>＞]|[>＞→/／\\])\s*")  # what people type between the levels of a path
SAMPLE = 10_000  # rows by which columns are guessed


@dataclass(frozen=True)
class Source:
    """What was read, and how.

    chosen: the columns taken. sheet: the sheet of a workbook that has several. unread: the lines whose time nobody
    can read.
    """

    dataset: Dataset
    chosen: Chosen
    sheet: str = ""
    unread: Sequence[int] = ()


def from_corpus() -> Dataset:
    """The project's own petitions, grouped by writer: real ones come from nobody that the model has read."""
    rows = read_rows()
    petitions = [Petition(row.id, row.text, row.title) for row in rows]
    labels = {task: [getattr(row, task) for row in rows] for task in TASKS}
    return Dataset(petitions, labels, CORPUS, corpus_hash(), [row.writer for row in rows])


def open_dataset(source: str, named: Mapping[str, str | Sequence[str]]) -> Dataset:
    """The labelled petitions of `open_source`, for callers that show nothing of how they were read."""
    return open_source(source, named).dataset


def open_source(source: str, named: Mapping[str, str | Sequence[str]]) -> Source:
    """Labelled petitions from a CSV, XLSX, JSONL or Parquet file, a saved folder, or a name on the Hub.

    `named` maps text, title, a task, time, id or group to a column; category to several, one for each level.
    Raises `InputError` when there is no such source, no column of texts, or none of labels.
    """
    path = Path(source)
    is_file = path.is_file() or path.suffix.lower() in (*KNOWN, *OLD)
    table = open_table(path) if is_file else read_hub(source)
    place = f"{source}『{table.sheet}』" if table.sheet else source
    chosen = choose(place, table.rows.column_names, _sample(table), named, labels=True)
    chosen.refuse_formulas(source, table.formulas)
    times, unread = _times(table, chosen.column("time"))
    content = path.read_bytes() if is_file else json.dumps(table.rows.to_dict()).encode()
    dataset = Dataset(
        petitions=_petitions(table, chosen),
        labels=_labels(source, table, chosen),
        name=path.name if is_file else source,
        hash=hashlib.sha256(content).hexdigest(),
        groups=_groups(table, chosen.column("group")),
        times=times,
        lines=table.lines,
        headings=chosen.headings,
    )
    return Source(dataset, chosen, table.sheet, unread)


def open_unlabelled(path: Path, named: Mapping[str, str | Sequence[str]]) -> tuple[list[Petition], Chosen]:
    """The petitions of a table, labels or not, and the columns that were taken; raises `InputError`."""
    table = open_table(path)
    chosen = choose(path, table.rows.column_names, _sample(table), named, labels=False)
    chosen.refuse_formulas(path, table.formulas)
    return _petitions(table, chosen), chosen


def _sample(table: Table) -> Iterator[tuple[str, ...]]:
    """Rows from all over a table: it may be sorted by its labels."""
    count = len(table.rows)
    part = table.rows.select(range(0, count, 1 + count // SAMPLE))
    yield from zip(*(part[name][:] for name in part.column_names), strict=True)


def _petitions(table: Table, chosen: Chosen) -> list[Petition]:
    """The texts under the numbers of the office, else under those of their lines."""
    blank = [""] * len(table.rows)
    ids = table.column(chosen.column("id")) if "id" in chosen.roles else blank
    titles = table.column(chosen.column("title")) if "title" in chosen.roles else blank
    rows = zip(ids, table.lines, table.column(chosen.column("text")), titles, strict=True)
    return [Petition(number.strip() or str(line), text, title) for number, line, text, title in rows]


def _labels(source: str, table: Table, chosen: Chosen) -> dict[str, list[str]]:
    """The labels of each task that has any, those of a category as a path."""
    roles = {task: chosen.roles[task] for task in TASKS if task in chosen.roles}
    labels = {task: _path(table, columns) for task, columns in roles.items()}
    labels = {task: values for task, values in labels.items() if any(values)}
    if not labels:
        tried = "、".join(map(chosen.headings.__getitem__, roles))
        raise InputError(place=source, reason=f"标签列（{tried}）全是空的，请用 --category 等指定别的列")
    return labels


def _path(table: Table, columns: Sequence[str]) -> list[str]:
    """One label a row: the levels of several columns, or one column that may hold whole paths, joined by “/”."""
    if len(columns) == 1:
        return paths(table.column(columns[0]))
    rows = zip(*(table.column(column) for column in columns), strict=True)
    # A stroke within a level (供水/供电) is no level of its own.
    return ["/".join(level.strip().replace("/", "／") for level in row if level.strip()) for row in rows]


def paths(values: Sequence[str]) -> list[str]:
    """Labels, trimmed; where at least half of them are paths, whatever parts their levels becomes “/”."""
    labels = [value.strip() for value in values]
    parted = sum(bool(SEPARATOR.search(label)) for label in labels)
    if not parted or 2 * parted < sum(map(bool, labels)):
        return labels
    return ["/".join(filter(None, SEPARATOR.split(label))) or label for label in labels]


def _groups(table: Table, column: str) -> list[str]:
    """The group of each row; one without stands by itself."""
    if not column:
        return []
    return [group.strip() or f"第{line}行" for group, line in zip(table.column(column), table.lines, strict=True)]


def _times(table: Table, column: str) -> tuple[list[datetime | None], list[int]]:
    """When each row came in, and the lines whose time cannot be read."""
    if not column:
        return [], []
    given = table.column(column)
    times = [moment(value) for value in given]
    rows = zip(table.lines, given, times, strict=True)
    return times, [line for line, value, time in rows if value.strip() and time is None]
