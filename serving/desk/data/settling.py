"""Settling: doubted labels are kept or changed, one after the other, and count for the next retraining."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from nlp.errors import InputError, RefusedData
from nlp.taxonomy import Taxonomy
from serving.desk.data import notes
from serving.desk.data.folder import Folder


class Said(BaseModel):
    """What somebody says of a doubted label. number: its place in the list, from 0; code: the label that is right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    code: str


@dataclass(frozen=True)
class Settling:
    """The doubted labels of a retraining. items: task, line, given, suggested, title, text (masked)."""

    folder: Folder
    upload: str
    items: list[dict[str, Any]]
    said: Mapping[tuple[str, int], Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Folder, errand: str, upload: str) -> Settling:
        """As it stands now."""
        said = {(note["task"], note["line"]): note for note in notes.read(folder.settled(upload))}
        return cls(folder, upload, notes.read(folder.suspects(errand)), said)

    @property
    def done(self) -> int:
        """How many are settled."""
        return sum((item["task"], item["line"]) in self.said for item in self.items)

    def codes(self) -> list[str]:
        """What was said of each item, in order; empty where nothing was."""
        return [str(self.said.get((item["task"], item["line"]), {}).get("code", "")) for item in self.items]

    def take(self, said: Said, taxonomy: Taxonomy, operator: str, at: str) -> None:
        """Keep what somebody says; raises `InputError` for what cannot be meant."""
        if not 0 <= said.number < len(self.items):
            raise InputError(place="number", reason=f"只有 {len(self.items)} 处存疑")
        item = self.items[said.number]
        if said.code not in taxonomy.codes(item["task"]):
            raise InputError(place="code", reason=f"分类体系里没有 {said.code}")
        note = {
            "task": item["task"], "line": item["line"], "code": said.code, "kept": said.code == item["given"],
            "operator": operator, "at": at,
        }  # fmt: skip
        notes.add(self.folder.settled(self.upload), note)


def taxonomy_of(model: Path) -> Taxonomy | None:
    """The taxonomy of a model that a retraining made; none where there is none."""
    for path in sorted(model.glob("*/taxonomy.json")):
        try:
            return Taxonomy.from_dict(json.loads(path.read_text(encoding="utf-8")), path)
        except (OSError, ValueError, RefusedData):
            continue
    return None
