"""Undecided: petitions of the store that the model was unsure of and nobody has said anything of, masked."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from sqlalchemy import Connection, select

from serving.journal.decided import opened
from serving.store.tables import decisions, feedback

MOST = 20_000  # the newest ones


def undecided(connection: Connection) -> Iterator[bytes]:
    """One line of JSON each, the newest first, as `jiesu label next` reads them."""
    said = select(feedback.c.id).where(feedback.c.decision == decisions.c.id).exists()
    query = select(decisions.c.id, decisions.c.content).where(decisions.c.needs_human.is_(True), ~said)
    query = query.order_by(decisions.c.id.desc()).limit(MOST)
    for row in connection.execution_options(yield_per=500).execute(query):
        decision = opened(row.content)
        line = {"id": row.id, "title": decision["masked_title"], "text": decision["masked_text"]}
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
