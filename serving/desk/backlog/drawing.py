"""Drawing: what the pages of the backlog desk are given, put so that a template has nothing to work out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from serving.batches.batch import CANCELLED, DONE, FAILED, LIVE, RUNNING, WAITING
from serving.desk.backlog.changes import Change
from serving.desk.backlog.errands import APPLY, PREVIEW, UNDO
from serving.errands.errand import STOPPING

STATES: Mapping[str, str] = {
    WAITING: "等着办", RUNNING: "在办", STOPPING: "正在停下", DONE: "办完了", FAILED: "没办成", CANCELLED: "取消了",
}  # fmt: skip
FILE_STEPS = ("上传", "试运行", "看变更报告", "正式办", "取结果，或撤回")
TABLE_STEPS = ("选表", "试运行", "看变更报告", "改表", "改好了，或撤回")
KINDS = {PREVIEW: "试运行", APPLY: "改表", UNDO: "撤回"}
MINUTE = 90  # seconds, from which on minutes are told


def steps(names: Sequence[str], at: int) -> list[tuple[str, str]]:
    """Each step with how it stands: done, current, todo."""
    return [(name, "done" if place < at else "current" if place == at else "todo") for place, name in enumerate(names)]


def batch_steps(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How far a file is."""
    live = told["state"] in LIVE
    if told["dry_run"]:
        return steps(FILE_STEPS, 2 if told["state"] == DONE else 1)
    return steps(FILE_STEPS, 3 if live or told["state"] != DONE else 4)


def change_steps(change: Change) -> list[tuple[str, str]]:
    """How far a table is."""
    if change.done(APPLY):
        return steps(TABLE_STEPS, 4)
    if APPLY in change.steps:
        return steps(TABLE_STEPS, 3)
    return steps(TABLE_STEPS, 2 if change.done(PREVIEW) else 1)


def share(told: Mapping[str, Any]) -> float | None:
    """The part of a batch that is decided, 0 to 1; none before anybody knows how much it is."""
    chunks = told["chunks"]
    return chunks["done"] / chunks["total"] if chunks["total"] else None


def left(seconds: float | None) -> tuple[str, str]:
    """How long the rest takes, as a sentence with a place, and what to put there."""
    if seconds is None:
        return "", ""
    if seconds < MINUTE:
        return "还要约 {n} 秒", f"{max(1, round(seconds))}"
    return "还要约 {n} 分钟", f"{round(seconds / 60)}"


def withdrawn(told: Mapping[str, Any]) -> bool:
    """Whether its files are gone: taken back, or kept for as long as they are kept."""
    return bool(told["removed_at"])


def expired(told: Mapping[str, Any], days: int) -> bool:
    """Whether they are gone because their time was over."""
    if not (told["removed_at"] and told["ended_at"]):
        return False
    ended, removed = (datetime.fromisoformat(told[name]) for name in ("ended_at", "removed_at"))
    return removed - ended >= timedelta(days=days)
