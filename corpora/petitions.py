"""The project's own petitions: rows of JSONL in `corpora/petitions/`, and the hash of them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, TASKS, Taxonomy

HERE = Path(__file__).parent
PETITIONS = HERE / "petitions"
TAXONOMY = HERE / "taxonomy.toml"
TOPICS = HERE / "topics.jsonl"
FIELD_NAMES = {**TASK_NAMES, "register": "语体"}


@dataclass(frozen=True)
class Row:
    """One petition written for this project, with its labels; `generated`: noise was added to a written one."""

    id: str
    title: str
    text: str
    category: str
    tier: str
    clock: str
    type: str
    register: str = ""
    topic: str = ""
    generated: bool = False

    @property
    def writer(self) -> str:
        """The writer's batch, which the number begins with."""
        return self.id.partition("-")[0]


def default_taxonomy() -> Taxonomy:
    """The starting taxonomy: 52 categories, 5 tiers, 4 clocks, 7 types."""
    return Taxonomy.read(TAXONOMY)


@lru_cache(maxsize=1)
def topics() -> dict[str, str]:
    """The petition topics of the field: number → category."""
    lines = map(json.loads, TOPICS.read_text(encoding="utf-8").splitlines())
    return {line["topic"]: line["category"] for line in lines}


def read_rows(folder: Path = PETITIONS) -> list[Row]:
    """All rows, by file name and line; raises `InputError` naming the line that is wrong."""
    taxonomy = default_taxonomy()
    known = {task: set(taxonomy.codes(task)) for task in TASKS}
    rows: list[Row] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = Row(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise InputError(place=f"{path} 第 {number} 行", reason=error) from error
            wrong = next((task for task in TASKS if str(getattr(row, task)) not in known[task]), "")
            if wrong:
                raise InputError(
                    place=f"{path} 第 {number} 行", reason=f"{wrong} 的编码 {getattr(row, wrong)} 不在分类体系里"
                )
            rows.append(row)
    return rows


def build(rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """What training learns from: number, title, text and the four labels of each row."""
    for row in rows:
        yield {name: str(getattr(row, name)) for name in ("id", "title", "text", *TASKS)}


def corpus_hash(folder: Path = PETITIONS) -> str:
    """SHA-256 of every row file, in order: which corpus a model was trained on."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.jsonl")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
