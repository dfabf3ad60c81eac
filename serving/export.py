"""Export: decisions with what was said of them, as `training.corrections` reads them — masked text only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, select

from nlp.taxonomy import TASKS
from serving.journal.decided import opened
from serving.settings import Settings
from serving.store import tables
from serving.times import moment


def exported(connection: Connection, settings: Settings, since: int) -> Iterator[bytes]:
    """One line of JSON for each decision that has feedback at or after `since` (milliseconds), oldest first."""
    said, decided = tables.feedback.c, tables.decisions.c
    wanted = select(said.decision).where(said.at >= since).distinct()
    query = select(decided.id, decided.content).where(decided.id.in_(wanted)).order_by(decided.id)
    for row in connection.execution_options(yield_per=500).execute(query):
        words = connection.execute(select(tables.feedback).where(said.decision == row.id).order_by(said.at, said.id))
        yield orjson.dumps(_line(opened(row.content), [_word(word, settings) for word in words])) + b"\n"


def _line(decision: dict[str, Any], words: list[dict[str, Any]]) -> dict[str, Any]:
    petition = {
        "id": decision["id"], "title": decision["masked_title"], "text": decision["masked_text"],
        "received_at": decision["received_at"] or decision["decided_at"],
    }  # fmt: skip
    return {"decision": decision, "petition": petition, "feedback": words}


def _word(word: Any, settings: Settings) -> dict[str, Any]:
    codes = {task: getattr(word, task) for task in TASKS if getattr(word, task)}
    at = moment(word.at, settings.zone).isoformat(timespec="milliseconds")
    return {"verdict": word.verdict, **codes, "reason": word.reason, "operator": word.operator, "at": at}
