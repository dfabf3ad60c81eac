"""A desk where backlogs are decided: an invented office's tickets, and `batch` as its command calls it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from corpora.rows.row import Row
from nlp.decider import Decider
from serving.backlog.answers import Answered
from serving.backlog.asked import Asked
from serving.backlog.batch import Manner, Wanted, batch
from serving.backlog.begin import Wish
from serving.backlog.deciding import Deciding
from serving.backlog.plan import Plan
from serving.settings import Settings

NOW = "2026-11-23T09:12:03+08:00"
HEAD = ("工单编号", "标题", "诉求内容", "受理时间", "一级分类")
TROUBLES = (
    "楼上卫生间一直往我家滴水，天花板都泡黄了",
    "小区门口的路灯不亮，晚上看不见路",
    "工地半夜还在打桩，孩子睡不着",
    "垃圾桶满了没有人倒，臭得开不了窗",
    "公交车等了四十分钟还不来",
)


def tickets(count: int) -> list[list[str]]:
    """Rows under `HEAD`."""
    return [
        [f"G-{number}", f"第{number}件", f"{TROUBLES[number % 5]}，已经{number}天了。", "2026-11-20 08:30", "老分类"]
        for number in range(count)
    ]


def written(path: Path, rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD, encoding: str = "utf-8") -> Path:
    """A CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def read(path: Path, encoding: str = "utf-8-sig") -> list[list[str]]:
    """The rows of a CSV file, its head among them."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


def _names(kind: type[Any]) -> set[str]:
    return {one.name for one in fields(kind)}


@dataclass
class Desk:
    """Runs batches in a folder; said: what people were told."""

    settings: Settings
    folder: Path
    said: list[str] = field(default_factory=list)

    def batch(self, source: str, out: str, *, workers: int = 1, **given: Any) -> dict[str, Any]:
        """given: fields of `Wish`, `Wanted` and `Asked`."""
        held = {"now": NOW, "chunk": 10} | given
        wish, wanted = ({name: held.pop(name) for name in _names(kind) & held.keys()} for kind in (Wish, Wanted))
        asked = Asked(str(self.folder / source), str(self.folder / out), **held)
        manner = Manner(workers, quiet=True)
        return batch(self.settings, asked, Wanted(**wanted), Wish(**wish), manner, self.said.append)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def names(self) -> set[str]:
        """What is in the folder."""
        return {path.name for path in self.folder.iterdir()}


def plan(columns: Sequence[str] = HEAD, model: str = "small", **given: Any) -> Plan:
    """A plan over tickets."""
    roles = {"id": ("工单编号",), "title": ("标题",), "text": ("诉求内容",), "time": ("受理时间",)}
    held: dict[str, Any] = {
        "source": "in.csv", "digest": "0" * 64, "columns": tuple(columns), "now": NOW, "profile": "plain",
        "roles": {role: names for role, names in roles.items() if names[0] in columns}, "model": model,
        "model_digest": "1" * 64, "taxonomy": "2" * 64, "rules": "3" * 64, "writing": {"format": "csv"},
    }  # fmt: skip
    return Plan(**held | given)


def answered(decider: Decider, plan: Plan, rows: Sequence[Sequence[Any]], sheet: str = "") -> list[Answered]:
    """Rows as they are decided; the number of the first is 2."""
    found = [Row(number, tuple(cells), "", sheet) for number, cells in enumerate(rows, 2)]
    return Deciding(plan, decider).answered(found)
