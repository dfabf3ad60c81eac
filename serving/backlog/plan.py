"""A plan: everything that settles what a run gives, fixed before its first row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson


@dataclass(frozen=True)
class Plan:
    """Two runs with equal plans give equal bytes.

    source, digest: what is read, and the SHA-256 of its content. columns: of the source, in its order.
    roles: id, title, text, time, channel, location, phone and category (the old label, a column for each level), each
    with its columns. now: ISO 8601 with a zone. model, rules, former: name or digest of what decides; `former` is empty
    where no old labels are weighed. chunk: rows decided at a time.
    """

    source: str
    digest: str
    columns: tuple[str, ...]
    roles: Mapping[str, tuple[str, ...]]
    now: str
    profile: str
    model: str
    model_digest: str
    taxonomy: str
    rules: str
    high: bool = False
    former: str = ""
    chunk: int = 1000

    @property
    def id(self) -> str:
        """The SHA-256 of the plan, in hexadecimal."""
        return hashlib.sha256(orjson.dumps(self.as_dict(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def time(self) -> datetime:
        """The moment that every answer counts as given at."""
        return datetime.fromisoformat(self.now)

    def places(self, role: str) -> tuple[int, ...]:
        """Where the columns of a role stand in a row; empty where it has none."""
        return tuple(self.columns.index(column) for column in self.roles.get(role, ()))

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Plan:
        """The plan that `as_dict` gave."""
        roles = {role: tuple(columns) for role, columns in held["roles"].items()}
        return cls(**dict(held) | {"columns": tuple(held["columns"]), "roles": roles})
