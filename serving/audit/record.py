"""A record of the audit: who did what to what, when, and how it ended (等保 2.0)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import orjson
from sqlalchemy import Connection

OK, REFUSED, FAILED = "ok", "refused", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record, before it has its place in the chain.

    id: a ULID, so that the same record is never written twice. at: milliseconds since 1970. actor: the key's id, or a
    command's name. object: what it was done to, like a decision's id. detail: what is about a person, plain data and
    never a petition's text; it stands apart, with a salt of its own, and may be deleted. subject: whose records these
    are, as a keyed hash.
    """

    id: str
    at: int
    actor: str
    action: str
    object: str = ""
    outcome: str = OK
    model: str = ""
    rule: str = ""
    subject: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)

    def sealed(self, salt: str) -> bytes:
        """The detail as it is kept: JSON, its keys in order, with the salt."""
        return orjson.dumps({**self.detail, "salt": salt}, option=orjson.OPT_SORT_KEYS)


class Noting(Protocol):
    """A transaction that takes records along: `serving.journal.unit.Unit`."""

    connection: Connection

    def note(self, *records: Record) -> None:
        """Records for the audit."""


def digest_of(content: bytes) -> str:
    """The SHA-256 of something, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def detail_digest(subject: str | None, detail: bytes) -> str:
    """The digest of a kept detail and of whose it is, which is all of them that the chain covers."""
    return digest_of(orjson.dumps(subject) + detail)
