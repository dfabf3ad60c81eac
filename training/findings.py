"""Findings: what was noticed about the data before and while it was learned, for its owners to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {
    "dropped": "删去的行",
    "conflict": "同样的文字、不同的标签",
    "duplicate": "重复或近似重复",
    "not_chinese": "不像中文的行",
    "not_learned": "学不了的标签",
    "frozen": "冻结测试集里的行",
    "leak": "训练与测试之间的泄漏",
}
SHOWN = 20  # lines that a finding names


@dataclass(frozen=True)
class Finding:
    """One thing that was found: its kind (of `KINDS`, or any other word), how it is told, how often, and where.

    told: one Chinese sentence: what it is, and what was done about it. lines: of the source, counted from 1.
    """

    kind: str
    told: str
    count: int
    lines: Sequence[int] = ()

    @property
    def title(self) -> str:
        """The kind as officials read it."""
        return KINDS.get(self.kind, self.kind)

    @property
    def where(self) -> str:
        """The first lines, for a person: `第 3、8、19 行等`."""
        if not self.lines:
            return ""
        more = "等" if len(self.lines) > SHOWN or self.count > len(self.lines) else ""
        return f"第 {'、'.join(map(str, self.lines[:SHOWN]))} 行{more}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, every line included."""
        return {"kind": self.kind, "told": self.told, "count": self.count, "lines": list(self.lines)}
