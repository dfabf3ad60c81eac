"""A plan: everything that settles what a run gives, fixed before its first row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

WORDS = {
    "source": "输入的名称", "digest": "输入的内容", "columns": "输入的列", "roles": "列的用法", "now": "--now",
    "profile": "--profile", "model": "模型", "model_digest": "模型文件", "taxonomy": "分类体系", "rules": "规则文件",
    "high": "--accuracy", "former": "旧标签的对照", "chunk": "--chunk", "reading": "读法", "writing": "输出的写法",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Two runs with equal plans give equal bytes.

    source, digest: what is read, and the SHA-256 of its content. columns: of the source, in its order.
    roles: id, title, text, time, channel, location, phone and category (the old label, a column for each level), each
    with its columns. now: ISO 8601 with a zone. model, rules, former: name or digest of what decides; `former` is empty
    where no old labels are weighed. chunk: rows decided at a time. reading: what else settles how the source is read.
    writing: what settles the bytes of the output, its `format` among it.
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
    reading: Mapping[str, str] = field(default_factory=dict)
    writing: Mapping[str, str] = field(default_factory=dict)

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

    def unlike(self, other: Plan) -> list[str]:
        """In what the other plan differs, in words for people; empty where it does not."""
        mine, others = self.as_dict(), other.as_dict()
        return [word for name, word in WORDS.items() if mine[name] != others[name]]

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Plan:
        """The plan that `as_dict` gave."""
        roles = {role: tuple(columns) for role, columns in held["roles"].items()}
        return cls(**dict(held) | {"columns": tuple(held["columns"]), "roles": roles})
