"""What the tests of the overview share: a store with decisions that a test wrote itself, one by one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import Engine
from ulid_transform import ulid_at_time

from serving.desk.overview.window import Asked, read
from serving.store import tables
from serving.store.engine import writing
from serving.times import millis

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 15, tzinfo=ZONE)
Put = Callable[..., str]


def asked(**given: str) -> Asked:
    return read(given, NOW, ZONE)


def at(day: str) -> int:
    """The time `11-20` or `11-20 08:30` of 2026, in milliseconds."""
    return millis(datetime.fromisoformat(f"2026-{day}").replace(tzinfo=ZONE))


class Book:
    """Writes decisions, what was said of them and what became of them, as a test tells it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._written = 0

    def decide(self, day: str, **more: Any) -> str:
        words, places = more.pop("words", ()), more.pop("places", ())
        content = {
            "evidence": [{"task": "category", "text": word, "weight": 1.0} for word in words],
            "places": [{"text": place} for place in places],
        }
        row = {
            "id": ulid_at_time(at(day) / 1000), "petition": f"P-{self._written}", "at": at(day), "received_at": None,
            "due_at": at(more.pop("due")) if "due" in more else None, "category": "leak", "tier": "community",
            "clock": "general", "type": "help", "confidence": 0.9, "needs_human": False, "profile": "plain",
            "unit": "社区", "model": "m", "channel": "网站", "key": "k", "subject": None,
            "content": zlib.compress(orjson.dumps(content)), "area": None, "red_line": None,
        } | more  # fmt: skip
        self._insert(tables.decisions, row)
        return str(row["id"])

    def say(self, decision: str, day: str, verdict: str, category: str | None = None) -> None:
        self._insert(tables.feedback, {
            "id": ulid_at_time(at(day) / 1000), "decision": decision, "at": at(day), "verdict": verdict,
            "category": category, "tier": None, "clock": None, "type": None, "reason": "", "unit": "", "operator": "",
            "key": "k", "digest": f"{self._written:064}",
        })  # fmt: skip

    def step(self, decision: str, day: str, event: str, **said: bool) -> None:
        self._insert(tables.outcomes, {
            "id": ulid_at_time(at(day) / 1000), "decision": decision, "event": event, "unit": "社区", "at": at(day),
            "recorded_at": at(day), "satisfied": None, "caller_resolved": None, "key": "k",
            "digest": f"{self._written:064}",
        } | said)  # fmt: skip

    def _insert(self, table: Any, row: dict[str, Any]) -> None:
        self._written += 1
        with writing(self._engine) as connection:
            connection.execute(table.insert(), row)


@pytest.fixture
def book(engine: Engine) -> Book:
    return Book(engine)
