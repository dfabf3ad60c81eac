"""A batch as it stands: its row of the store, and what whoever sent it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from serving.batches.options import Asked
from serving.times import moment

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
LIVE = (WAITING, RUNNING)
COUNTS = ("read", "decided", "human", "rejected")


class Chunks(BaseModel):
    """How far it is. total: none until the file was read once."""

    total: int | None
    done: int


class Counts(BaseModel):
    """Rows so far: read = decided + human + rejected."""

    read: int
    decided: int
    human: int
    rejected: int


class BatchReply(BaseModel):
    """A batch, as `GET /v1/batches/{id}` tells of it."""

    id: str
    state: str = Field(description="waiting 等着办，running 在办，done 办完，failed 没办成，cancelled 取消了")
    reason: str = Field(description="没办成的原因")
    name: str
    format: str
    dry_run: bool
    model: str
    created_at: str
    begun_at: str
    ended_at: str
    chunks: Chunks
    rows: Counts
    rate: float = Field(description="每秒几行")
    seconds_left: float | None = Field(description="估计还要几秒")
    removed_at: str = Field(description="何时删去了文件；还在的为空")
    origin: str = Field(description="用的是哪一批上传的文件；自己上传的为空")
    parts: list[str] = Field(description="现在可取的文件：/v1/batches/{id}/result?part=…")


class BatchesReply(BaseModel):
    """The batches of one key, the newest first."""

    batches: list[BatchReply]


@dataclass(frozen=True)
class Batch:
    """A row of `batches`. at, begun, ended, removed: milliseconds; counts: by `COUNTS`."""

    id: str
    key: str
    state: str
    reason: str
    name: str
    asked: Asked
    model: str
    chunks: int | None
    done: int
    counts: Mapping[str, int]
    at: int
    begun: int | None
    ended: int | None
    removed: int | None

    @classmethod
    def of(cls, row: RowMapping) -> Batch:
        """What a row holds."""
        return cls(
            id=row["id"], key=row["key"], state=row["state"], reason=row["reason"], name=row["name"],
            asked=Asked.model_validate_json(bytes(row["asked"])), model=row["model"], chunks=row["chunks"],
            done=row["done"], counts={name: row[name] for name in COUNTS}, at=row["at"], begun=row["begun_at"],
            ended=row["ended_at"], removed=row["removed_at"],
        )  # fmt: skip

    @classmethod
    def new(cls, id: str, key: str, name: str, asked: Asked, at: int) -> Batch:  # noqa: A002
        """One that has just come, at a time in milliseconds."""
        counts = dict.fromkeys(COUNTS, 0)
        return cls(id, key, WAITING, "", name, asked, "", None, 0, counts, at, None, None, None)

    @property
    def row(self) -> dict[str, Any]:
        """What `of` reads."""
        return {
            "id": self.id, "key": self.key, "state": self.state, "reason": self.reason, "name": self.name,
            "asked": self.asked.model_dump_json().encode(), "model": self.model, "chunks": self.chunks,
            "done": self.done, **self.counts, "at": self.at, "begun_at": self.begun, "ended_at": self.ended,
            "removed_at": self.removed,
        }  # fmt: skip

    @property
    def live(self) -> bool:
        """Whether there is still something to do."""
        return self.state in LIVE

    @property
    def uploaded(self) -> int:
        """When its file was sent, with whichever batch that was: milliseconds."""
        return self.at if self.asked.uploaded is None else self.asked.uploaded

    def rate(self, now: int) -> float:
        """Rows a second since it was begun."""
        seconds = ((self.ended or now) - self.begun) / 1000 if self.begun else 0.0
        return round(self.counts["read"] / seconds, 1) if seconds > 0 else 0.0

    def left(self, now: int) -> float | None:
        """Seconds that the rest will take, as far as one can tell."""
        if self.state != RUNNING or not (self.begun and self.chunks and self.done):
            return None
        return round((now - self.begun) / 1000 * (self.chunks - self.done) / self.done, 1)

    def told(self, now: int, zone: tzinfo, parts: list[str]) -> dict[str, Any]:
        """What is told of it, as `BatchReply` describes."""

        def time(at: int | None) -> str:
            return moment(at, zone).isoformat(timespec="seconds") if at else ""

        return {
            "id": self.id, "state": self.state, "reason": self.reason, "name": self.name,
            "format": self.asked.format.value, "dry_run": self.asked.options.dry_run, "model": self.model,
            "created_at": time(self.at), "begun_at": time(self.begun), "ended_at": time(self.ended),
            "chunks": {"total": self.chunks, "done": self.done}, "rows": dict(self.counts),
            "removed_at": time(self.removed), "origin": self.asked.origin, "rate": self.rate(now),
            "seconds_left": self.left(now), "parts": parts,
        }  # fmt: skip
