"""Answers: what a decision adds to a row, column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corpora.rows.row import Row
from nlp.decision import Decision

Value = str | float | bool


@dataclass(frozen=True)
class Column:
    """One answer. key: its name where programs read (after `jiesu_`). heading: where people do."""

    key: str
    heading: str
    value: Callable[[Decision], Value]


COLUMNS = (
    Column("category", "接诉_类别编码", lambda one: one.category.code),
    Column("category_name", "接诉_类别", lambda one: "/".join(one.category.path)),
    Column("confidence", "接诉_把握", lambda one: one.category.confidence),
    Column("alternatives", "接诉_其次", lambda one: "；".join(choice.name for choice in one.category.alternatives)),
    Column("tier", "接诉_层级编码", lambda one: one.tier.code),
    Column("tier_name", "接诉_层级", lambda one: one.tier.name),
    Column("clock", "接诉_时限编码", lambda one: one.clock.code),
    Column("clock_name", "接诉_时限", lambda one: one.clock.name),
    Column("type", "接诉_诉求类型编码", lambda one: one.type.code),
    Column("type_name", "接诉_诉求类型", lambda one: one.type.name),
    Column("needs_human", "接诉_需人工", lambda one: one.needs_human),
    Column("reasons", "接诉_理由", lambda one: "；".join(one.reasons)),
    Column("start", "接诉_首接单位", lambda one: one.route.start),
    Column("unit", "接诉_承办单位", lambda one: one.route.unit),
    Column("due", "接诉_截止", lambda one: one.route.due if one.received_at else ""),
    Column("rule", "接诉_规则", lambda one: one.route.rule),
    Column("decision_id", "接诉_决定编号", lambda one: one.decision_id),
    Column("decided_at", "接诉_决定时间", lambda one: one.decided_at),
    Column("model", "接诉_模型", lambda one: one.model),
)
KEYS = tuple(f"jiesu_{column.key}" for column in COLUMNS)
HEADINGS = tuple(column.heading for column in COLUMNS)


@dataclass(frozen=True, slots=True)
class Answered:
    """A row with its decision, or without one and the reason: a reject."""

    row: Row
    decision: Decision | None
    reason: str = ""

    @property
    def values(self) -> tuple[Value, ...]:
        """The answers in the order of `COLUMNS`; only of a row with a decision."""
        if self.decision is None:
            raise ValueError(f"row {self.row.number} was rejected")
        return tuple(column.value(self.decision) for column in COLUMNS)


def cell(value: Any) -> str:
    """An answer as a text cell shows it to people."""
    return ("是" if value else "否") if isinstance(value, bool) else str(value)
