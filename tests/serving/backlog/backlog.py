"""An invented backlog: rows, a plan, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from corpora.petitions import Row as Written
from corpora.rows.row import Row
from nlp.decider import Decider
from serving.backlog.answers import Answered
from serving.backlog.deciding import Deciding
from serving.backlog.plan import Plan

COLUMNS = ("编号", "标题", "内容", "旧类", "时间", "单位", "期限")
ROLES = {
    "id": "编号",
    "title": "标题",
    "text": "内容",
    "category": "旧类",
    "time": "时间",
    "unit": "单位",
    "deadline": "期限",
}


@dataclass
class Listed:
    """A source in memory; read: how often it was."""

    held: Sequence[Row]
    name: str = "工单.csv"
    columns: tuple[str, ...] = COLUMNS
    read: int = field(default=0)

    def rows(self) -> Iterator[Row]:
        self.read += 1
        return iter(self.held)

    def digest(self) -> str:
        return "ab" * 32


def plan_of(*, without: str = "") -> Plan:
    roles = {role: (column,) for role, column in ROLES.items() if role != without}
    return Plan("工单.csv", "ab" * 32, COLUMNS, roles, "2026-11-23T09:00:00+08:00", "plain", "small", "", "", "")


def row_of(number: int, written: Written, old: str, time: str = "2026-11-20 10:00", due: str = "2026-11-27") -> Row:
    return Row(number, (written.id, written.title, written.text, old, time, "城管局", due))


def decided(decider: Decider, rows: Sequence[Row], plan: Plan | None = None) -> list[Answered]:
    return Deciding(plan or plan_of(), decider).answered(rows)
