"""Catalogue (派单目录): versioned rows with dates of effect that say which unit leads."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nlp.checked import listed, read_table, refuse_row, row_of
from nlp.route.clock import Limit
from nlp.route.crosswalk import Crosswalk
from nlp.route.facts import Facts, When
from nlp.route.groups import short_word
from nlp.taxonomy import Taxonomy

LOCAL = "属地"  # as a lead: the unit of the tier itself, by the profile
COLUMNS = {
    "编号": "number", "版本": "version", "类别": "category", "地点": "place", "层级条件": "tier",
    "时限条件": "clock", "诉求条件": "type", "字词条件": "words", "承办单位": "lead", "承办层级": "level",
    "协办单位": "support", "定层级": "set_tier", "定时限": "set_clock", "期限": "limit", "依据": "legal",
    "生效": "start", "失效": "end",
}  # fmt: skip
NAMES = {field: column for column, field in COLUMNS.items()}
CODED = {
    "category": "category", "tier": "tier", "clock": "clock", "type": "type",
    "set_tier": "tier", "level": "tier", "set_clock": "clock",
}  # fmt: skip
LISTS = ("category", "place", "tier", "clock", "type", "words", "support")
DAY = timedelta(days=1)
DAY_WRITTEN = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


@dataclass(frozen=True, kw_only=True)
class Row(When):
    """A row: the matters it is for, who leads and helps, and what it lays down of tier, clock and time.

    start, end: the first and the last day of effect; without an end it holds until it is replaced.
    """

    line: int
    number: str
    version: int
    lead: str
    level: str
    """The tier at which the leading office sits; empty for whichever tier the matter has."""
    support: tuple[str, ...]
    start: date
    end: date | None
    set_tier: str = ""
    set_clock: str = ""
    limit: str = ""
    legal: str = ""

    def in_force(self, day: date) -> bool:
        """Whether the row holds on a day."""
        return self.start <= day and (self.end is None or day <= self.end)

    @property
    def told(self) -> str:
        """The row by its number, version and line."""
        return f"目录 {self.number}（第 {self.version} 版，第 {self.line} 行）"


ROW = TypeAdapter(Row)


@dataclass(frozen=True)
class Catalogue:
    """The rows in the order of their file: the first that is in force and holds decides."""

    source: str
    rows: tuple[Row, ...]

    @classmethod
    def read(
        cls, path: Path, taxonomy: Taxonomy, crosswalks: Mapping[str, Crosswalk], *, strict: bool = True
    ) -> Catalogue:
        """Read and check a catalogue; raises `RefusedData` with file, line and column.

        strict: codes that the taxonomy does not hold are refused, not passed over.
        """
        reader = _Reader(path, taxonomy, crosswalks, strict)
        rows = tuple(reader.row(line, cells) for line, cells in read_table(path, list(COLUMNS)))
        seen: dict[tuple[str, int], int] = {}
        for row in rows:
            first = seen.setdefault((row.number, row.version), row.line)
            if first != row.line:
                raise refuse_row(path, row.line, "编号", f"{row.number} 第 {row.version} 版在第 {first} 行已有")
        return cls(str(path), rows)

    @cached_property
    def version(self) -> str:
        """The first digits of the SHA-256 of its rows: what tells one state of the catalogue from another."""
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()[:12]

    @cached_property
    def _by_category(self) -> Mapping[str, list[Row]]:
        named = {code for row in self.rows for code in row.category}
        return {code: [row for row in self.rows if not row.category or code in row.category] for code in named}

    @cached_property
    def _for_all(self) -> list[Row]:
        return [row for row in self.rows if not row.category]

    @cached_property
    def changes(self) -> list[date]:
        """The days on which rows come into force or go out of it, in order."""
        days = {row.start for row in self.rows} | {row.end + DAY for row in self.rows if row.end}
        return sorted(days)

    def period(self, day: date) -> int:
        """The number of the period without changes in which a day lies."""
        return bisect_right(self.changes, day)

    def of(self, category: str) -> list[Row]:
        """The rows that may hold for a category."""
        return self._by_category.get(category, self._for_all)

    def find(self, facts: Facts, day: date) -> Row | None:
        """The first row in force on a day that holds for a matter."""
        return next(iter(self.fitting(facts, day)), None)

    def fitting(self, facts: Facts, day: date) -> Iterable[Row]:
        """All rows in force on a day that hold for a matter, in order."""
        return (row for row in self.of(facts.category) if row.in_force(day) and row.holds(facts))


@dataclass(frozen=True)
class _Reader:
    """Turns cells into rows and names the line and the column of what is wrong."""

    path: Path
    taxonomy: Taxonomy
    crosswalks: Mapping[str, Crosswalk]
    strict: bool

    def row(self, line: int, cells: Mapping[str, str]) -> Row:
        fields: dict[str, Any] = {COLUMNS[column]: cell for column, cell in cells.items()}
        fields |= {name: listed(fields[name]) for name in LISTS}
        fields |= {"line": line, "start": self._day(line, cells, "生效"), "end": self._day(line, cells, "失效")}
        fields["category"] = tuple(code for name in fields["category"] for code in self._categories(line, name))
        row = row_of(self.path, line, ROW, fields, NAMES)
        self._check(row)
        return row if self.strict else self._known(row)

    def _day(self, line: int, cells: Mapping[str, str], column: str) -> date | None:
        """A day as it is written, 2026-01-31 or 2026/1/31; none for an empty cell."""
        if not cells[column] and column == "失效":
            return None
        match = DAY_WRITTEN.fullmatch(cells[column])
        if match:
            try:
                return date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                pass
        raise refuse_row(self.path, line, column, "须是日期，如 2026-01-31")

    def _categories(self, line: int, name: str) -> list[str]:
        """The categories that a cell means: a code, a Chinese name, or `city:code` of a crosswalk."""
        if ":" in name:
            city, _, code = name.partition(":")
            category = self.crosswalks[city].category(code) if city in self.crosswalks else ""
            if not category:
                raise refuse_row(self.path, line, "类别", f"对照表里没有 {name}")
            return [category]
        by_name = {label.name: label.code for label in self.taxonomy.labels("category")}
        return [by_name.get(name, name)]

    def _check(self, row: Row) -> None:
        if self.strict:
            self._check_codes(row)
        short = short_word(row.words)
        timed = not row.limit or Limit.is_one(row.limit)
        faults = {
            "编号": "" if row.number else "不能空",
            "承办单位": "" if row.lead else "不能空",
            "字词条件": short and f"“{short}”不足两个字",
            "期限": "" if timed else f"“{row.limit}”不是期限，如 2 小时、15 工作日",
            "失效": "早于生效" if row.end and row.end < row.start else "",
        }
        for column, reason in faults.items():
            if reason:
                raise refuse_row(self.path, row.line, column, reason)

    def _check_codes(self, row: Row) -> None:
        for field, task in CODED.items():
            value = getattr(row, field)
            codes = value if isinstance(value, tuple) else filter(None, [value])
            lost = next((code for code in codes if code not in self.taxonomy.codes(task)), "")
            if lost:
                raise refuse_row(self.path, row.line, NAMES[field], f"分类体系里没有 {lost}")

    def _known(self, row: Row) -> Row:
        """A row without what it lays down in codes that this taxonomy does not hold."""
        tier = row.set_tier if row.set_tier in self.taxonomy.codes("tier") else ""
        clock = row.set_clock if row.set_clock in self.taxonomy.codes("clock") else ""
        return replace(row, set_tier=tier, set_clock=clock)
