"""A review: what people say of a sample, and what that says of all rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from corpora.rows.cell import text
from corpora.rows.open import open_rows
from nlp.errors import InputError
from serving.backlog.report.workbook import GROUP, GROUPS, NEEDS, RIGHT, VERDICT, WRONG

VERDICTS = {"": None, RIGHT: True, WRONG: False, "√": True, "✓": True, "×": False, "✗": False, "是": True, "否": False,
            "1": True, "0": False}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """Rows of a kind: how many are right, how many wrong, and how many nobody judged yet."""

    right: int
    wrong: int
    blank: int

    @property
    def share(self) -> float:
        """The share of right ones; 0 where none was judged."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share of right ones among all such rows (Wilson 1927)."""
        if not self.right + self.wrong:
            return 0.0, 1.0
        found = binomtest(self.right, self.right + self.wrong).proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return vars(self) | {"share": round(self.share, 4), "interval": [round(edge, 4) for edge in self.interval]}


@dataclass(frozen=True)
class Review:
    """What was said of rows that change, of those of them that no human looks at again, and of the others."""

    changed: Judged
    alone: Judged
    kept: Judged

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return {name: judged.as_dict() for name, judged in vars(self).items()}


def reviewed(path: Path) -> Review:
    """Read the filled sheet (XLSX, or saved as CSV); raises `InputError` naming the row of what is no verdict."""
    source = open_rows(path, first=True)  # the other sheets are the report's tables
    missing = next((name for name in (VERDICT, GROUP, NEEDS) if name not in source.columns), "")
    if missing:
        raise InputError(place=path, reason=f"没有列 {missing}；请用变更报告里的 review.xlsx，只填“{VERDICT}”一列")
    places = [source.columns.index(name) for name in (VERDICT, GROUP, NEEDS)]
    rows = []
    for row in source.rows():
        if row.reason:
            raise InputError(place=f"{path} 第 {row.number} 行", reason=row.reason)
        said, group, needs = (text(row.cells[place]) if place < len(row.cells) else "" for place in places)
        rows.append((_verdict(path, row.number, said), group, needs))
    changed = [(verdict, needs) for verdict, group, needs in rows if group == GROUPS[0]]
    return Review(
        changed=_judged(verdict for verdict, _ in changed),
        alone=_judged(verdict for verdict, needs in changed if needs == "否"),
        kept=_judged(verdict for verdict, group, _ in rows if group == GROUPS[1]),
    )


def _verdict(path: Path, line: int, said: str) -> bool | None:
    try:
        return VERDICTS[said.strip()]
    except KeyError:
        reason = f"只能填“{RIGHT}”或“{WRONG}”，或者空着"
        raise InputError(place=f"{path} 第 {line} 行，列 {VERDICT}", reason=reason) from None


def _judged(verdicts: Iterable[bool | None]) -> Judged:
    said = list(verdicts)
    return Judged(said.count(True), said.count(False), said.count(None))
