"""Labelling: a list of petitions, and the answers of people to one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from nlp.errors import InputError
from nlp.taxonomy import TASKS, Taxonomy
from serving.desk.data import notes
from serving.desk.data.folder import Folder

KEYS = ("id", "title", "text")


class Answer(BaseModel):
    """What somebody says of one: its codes, or none where it is passed over. number: its place in the list, from 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    category: str = ""
    tier: str = ""
    clock: str = ""
    type: str = ""

    @property
    def codes(self) -> dict[str, str]:
        """Those that were given."""
        return {task: code for task in TASKS if (code := getattr(self, task))}


@dataclass(frozen=True)
class Labelling:
    """A list and its answers. items: id, title, text (masked), the model's category and how sure it is."""

    folder: Folder
    errand: str
    items: list[dict[str, Any]]
    answers: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Folder, errand: str) -> Labelling:
        """As it stands now; empty where there is no such list."""
        items = [
            {"id": row["petition_id"], "title": row["title"], "text": row["text"], "confidence": row["confidence"]}
            for row in notes.read(folder.listed(errand))
        ]
        return cls(folder, errand, items, {note["id"]: note for note in notes.read(folder.answers(errand))})

    @property
    def labelled(self) -> int:
        """How many have labels; those passed over have none."""
        return sum(any(note.get(task) for task in TASKS) for note in self.answers.values())

    @property
    def done(self) -> int:
        """How many somebody has seen."""
        return sum(item["id"] in self.answers for item in self.items)

    def take(self, answer: Answer, taxonomy: Taxonomy, operator: str, at: str) -> None:
        """Keep an answer; raises `InputError` for one that cannot be meant."""
        if not 0 <= answer.number < len(self.items):
            raise InputError(place="number", reason=f"这一批只有 {len(self.items)} 件")
        for task, code in answer.codes.items():
            if code not in taxonomy.codes(task):
                raise InputError(place=task, reason=f"分类体系里没有 {code}")
        item = self.items[answer.number]
        note = {**{key: item[key] for key in KEYS}, **answer.codes, "operator": operator, "at": at}
        notes.add(self.folder.answers(self.errand), note)

    def rows(self) -> Iterator[bytes]:
        """The labelled ones, as `jiesu fit` takes them."""
        for note in self.answers.values():
            if any(note.get(task) for task in TASKS):
                yield orjson.dumps({key: value for key, value in note.items() if key != "at"}) + b"\n"


def counted(path: Path) -> int:
    """How many answers in a file are labels."""
    last = {note["id"]: note for note in notes.read(path)}
    return sum(any(note.get(task) for task in TASKS) for note in last.values())
