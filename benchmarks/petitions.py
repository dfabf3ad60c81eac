"""The petitions that are decided: real letters where the shared data is there, else our own corpus."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from corpora.petitions import read_rows
from nlp.decider import Decider, Options
from nlp.petition import Petition
from serving.default import open_model
from serving.memory import settle
from serving.settings import Settings

LETTERS = Path(__file__).parents[2] / "shared" / "data" / "teddy2020c_unlabelled.jsonl"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@lru_cache(maxsize=1)
def letters(count: int = 1024) -> tuple[Petition, ...]:
    """Real letters to city leaders."""
    if not LETTERS.exists():
        return own(count)
    rows = [json.loads(line) for line in LETTERS.read_text(encoding="utf-8").splitlines()[:count]]
    return tuple(Petition(row["id"], row["text"], row["title"]) for row in rows)


@lru_cache(maxsize=1)
def own(count: int = 1024) -> tuple[Petition, ...]:
    """Petitions of the project's own corpus, all registers mixed."""
    rows = read_rows()
    return tuple(Petition(row.id, row.text, row.title) for row in rows[:: max(1, len(rows) // count)][:count])


@lru_cache(maxsize=1)
def decider() -> Decider:
    """The default model, ready, the garbage collector settled as in service."""
    ready = Decider(open_model(Settings()))
    settle()
    return ready


def options(*, evidence: bool) -> Options:
    """Options at a fixed time."""
    return Options(NOW, "plain", evidence)
