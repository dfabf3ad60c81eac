"""Decisions as rows of the store: what is looked up stands in columns, the rest is the decision itself, deflated."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from ulid_transform import ulid_at_time

from nlp.decision import Decision
from nlp.petition import Petition
from nlp.redline import RED_LINE_REASON
from serving.access.who import Who
from serving.audit.record import Record
from serving.secret import keyed
from serving.times import millis

NAMED = 200  # characters of a name that is counted by: PostgreSQL's index takes no row over 2,704 bytes
LEVEL = 1  # of zlib: a decision of 3 kB becomes 1 kB in some 40 µs


@dataclass(frozen=True)
class Decided:
    """Decisions, each as its JSON, with their rows and audit records.

    contents: the JSON of each, in order. rows: for the table `decisions`. records: one for each decision.
    """

    contents: list[bytes]
    rows: list[dict[str, Any]]
    records: list[Record]

    @classmethod
    def of(cls, decisions: Sequence[Decision], petitions: Sequence[Petition], who: Who, secret: bytes) -> Decided:
        """What is to be written of decisions that somebody asked for."""
        contents = [orjson.dumps(decision) for decision in decisions]
        rows = [
            _row(decision, petition, content, who, secret)
            for decision, petition, content in zip(decisions, petitions, contents, strict=True)
        ]
        records = [_record(row, decision, secret) for row, decision in zip(rows, decisions, strict=True)]
        return cls(contents, rows, records)


def opened(content: bytes) -> dict[str, Any]:
    """The decision in a row, as plain data."""
    decision: dict[str, Any] = orjson.loads(zlib.decompress(content))
    return decision


def subject_of(phone: str, secret: bytes) -> str | None:
    """What stands for a caller's number in the store: a keyed hash of its digits."""
    digits = "".join(sign for sign in phone if sign.isdigit())
    return keyed(secret, "subject", digits) if digits else None


def _row(decision: Decision, petition: Petition, content: bytes, who: Who, secret: bytes) -> dict[str, Any]:
    route = decision.route
    return {
        "id": decision.decision_id,
        "petition": storable(petition.id),
        "at": _millis(decision.decided_at),
        "received_at": _millis(decision.received_at),
        "due_at": _millis(route.due),
        "category": decision.category.code,
        "tier": decision.tier.code,
        "clock": decision.clock.code,
        "type": decision.type.code,
        "confidence": decision.category.confidence,
        "needs_human": decision.needs_human,
        "profile": route.profile,
        "unit": route.unit[:NAMED],
        "model": decision.model,
        "channel": storable(petition.channel)[:NAMED],
        "key": who.key,
        "subject": subject_of(petition.phone, secret),
        "content": zlib.compress(content, LEVEL),
        "area": next((place.unit[:NAMED] for place in decision.places if place.unit), None),
        "red_line": red_line_of(decision.reasons),
    }


def red_line_of(reasons: Sequence[str]) -> str | None:
    """The name of the red line that made a decision urgent, by its reasons; none where none did."""
    reason = next((reason for reason in reasons if reason.startswith(RED_LINE_REASON)), "")
    return reason.partition("（")[2].partition("）")[0] or None


def _record(row: dict[str, Any], decision: Decision, secret: bytes) -> Record:
    return Record(
        id=ulid_at_time(row["at"] / 1000),
        at=row["at"],
        actor=row["key"],
        action="decide",
        object=row["id"],
        model=row["model"],
        rule=decision.route.rule,
        subject=row["subject"],
        detail={"petition": row["petition"], "text": keyed(secret, "text", decision.masked_text)},
    )


def _millis(written: str) -> int | None:
    return millis(datetime.fromisoformat(written)) if written else None


def storable(text: str) -> str:
    """A text that every database takes: PostgreSQL has no place for NUL."""
    return text.replace("\0", "")
