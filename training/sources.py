"""Where labelled petitions come from: the project's own corpus, or a table of the office."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpora.default import CORPUS
from corpora.petitions import corpus_hash, read_rows
from corpora.tables import read_table
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import TASKS
from training.dataset import Dataset

# The usual names of the columns, where the caller names no others.
USUAL = {
    "text": ("text", "内容", "诉求内容", "工单内容", "正文"),
    "title": ("title", "标题", "主题"),
    "category": ("category", "label", "分类", "类别", "标签"),
    "tier": ("tier", "层级"),
    "clock": ("clock", "时限"),
    "type": ("type", "诉求类型", "诉求性质"),
}


def from_corpus() -> Dataset:
    """The project's own petitions, grouped by writer: real ones come from nobody that the model has read."""
    rows = read_rows()
    petitions = [Petition(row.id, row.text, row.title) for row in rows]
    labels = {task: [getattr(row, task) for row in rows] for task in TASKS}
    return Dataset(petitions, labels, CORPUS, corpus_hash(), [row.writer for row in rows])


def from_table(path: Path, named: Mapping[str, str]) -> Dataset:
    """A table of labelled petitions; `named` maps text, title or a task to a column of the table.

    Raises `InputError` when there is no column of texts, or none of labels.
    """
    table = read_table(path)
    roles = _roles(path, table.column_names, named)
    titles = table[roles["title"]] if "title" in roles else [""] * len(table)
    petitions = [
        Petition(str(number), text, title)
        for number, (text, title) in enumerate(zip(table[roles["text"]], titles, strict=True), 1)
    ]
    labels = {task: [code.strip() for code in table[roles[task]]] for task in TASKS if task in roles}
    return Dataset(petitions, labels, path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _roles(path: Path, names: Sequence[str], named: Mapping[str, str]) -> dict[str, str]:
    """Which column plays which role: as named, else the first of the usual names."""
    there = f"有：{'、'.join(names)}"
    for role, column in named.items():
        if column not in names:
            raise InputError(place=path, reason=f"没有列 {column}（指定给 {role}）；{there}")
    roles = {role: named.get(role) or _first(known, names) for role, known in USUAL.items()}
    if not roles["text"]:
        raise InputError(
            place=path, reason=f"找不到正文列（试过 {'、'.join(USUAL['text'])}），请用 --text 指定；{there}"
        )
    if not any(roles[task] for task in TASKS):
        raise InputError(place=path, reason=f"找不到标签列，请用 --category 等指定；{there}")
    return {role: column for role, column in roles.items() if column}


def _first(known: Sequence[str], names: Sequence[str]) -> str:
    return next((name for name in known if name in names), "")
