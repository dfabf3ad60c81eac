"""An errand: something that somebody has this machine do, and how far it is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import RowMapping
from ulid_transform import ulid_now

from serving.access.who import Who

WAITING, RUNNING, STOPPING = "waiting", "running", "stopping"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
BUSY = (RUNNING, STOPPING)  # somebody is at it
LIVE = (WAITING, *BUSY)
FAULT = "jiesu："  # with which a command begins what went wrong


@dataclass(frozen=True)
class Errand:
    """One of them.

    who: the name of whoever asked for it. name: what it is about, in words. asked: how it is to be done, plain data.
    step, part: what it is at and how much of that is done, 0 to 1. said: the last lines that the command told, masked.
    owner, until, attempts: who has claimed it, how long the claim holds (milliseconds), how often one was made.
    """

    id: str
    key: str
    who: str
    at: int
    kind: str
    name: str
    asked: Mapping[str, Any]
    state: str = WAITING
    step: str = ""
    part: float | None = None
    said: Sequence[str] = ()
    owner: str = ""
    until: int = 0
    attempts: int = 0
    begun_at: int | None = None
    ended_at: int | None = None

    @classmethod
    def new(cls, who: Who, at: int, kind: str, name: str, asked: Mapping[str, Any]) -> Errand:
        """One that waits."""
        return cls(ulid_now(), who.key, who.name, at, kind, name, asked)

    @classmethod
    def of(cls, row: RowMapping) -> Errand:
        """The errand of a row."""
        return cls(**{**row, "asked": orjson.loads(row["asked"]), "said": unpacked(row["said"])})

    @property
    def row(self) -> dict[str, Any]:
        """The row of it."""
        return {**vars(self), "asked": orjson.dumps(dict(self.asked)), "said": packed(self.said)}

    @property
    def live(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in LIVE

    @property
    def reason(self) -> str:
        """Why it failed: what the command told last, from where it said what went wrong."""
        if self.state != FAILED:
            return ""
        begun = [number for number, line in enumerate(self.said) if line.startswith(FAULT)]
        told = list(self.said[begun[-1] :]) if begun else list(self.said[-1:])
        return "\n".join(told).removeprefix(FAULT)


def packed(said: Sequence[str]) -> bytes:
    """Lines as the store keeps them."""
    return zlib.compress("\n".join(said).encode()) if said else b""


def unpacked(content: bytes) -> Sequence[str]:
    """The inverse of `packed`."""
    return tuple(zlib.decompress(content).decode().split("\n")) if content else ()
