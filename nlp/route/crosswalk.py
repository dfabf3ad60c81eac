"""Crosswalk: the event codes of a city's management system to and from the categories, one table a city."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nlp.checked import read_table, refuse_row
from nlp.taxonomy import Taxonomy

COLUMNS = ("编码", "名称", "类别", "主")
MAIN = "是"


@dataclass(frozen=True)
class Event:
    """A code of a city's table. category: empty where none fits; main: the code that the category is sent as."""

    code: str
    name: str
    category: str
    main: bool


@dataclass(frozen=True)
class Crosswalk:
    """The table of one city; codes that it does not hold are reported, never guessed."""

    name: str
    events: tuple[Event, ...]

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy, *, strict: bool = True) -> Crosswalk:
        """Read and check a table; raises `RefusedData` with file, line and reason."""
        known, seen, sent = set(taxonomy.codes("category")), set[str](), set[str]()
        events: list[Event] = []
        for line, row in read_table(path, COLUMNS):
            event = Event(row["编码"], row["名称"], row["类别"], row["主"] == MAIN)
            if event.code in seen or not event.code:
                raise refuse_row(path, line, "编码", f"{event.code or '空'}：空或重复")
            if strict and event.category and event.category not in known:
                raise refuse_row(path, line, "类别", f"分类体系里没有 {event.category}")
            if event.main and event.category in sent:
                raise refuse_row(path, line, "主", f"{event.category} 已有主编码")
            seen.add(event.code)
            sent |= {event.category} if event.main else set()
            events.append(event)
        return cls(path.stem, tuple(events))

    @cached_property
    def _by_code(self) -> dict[str, Event]:
        return {event.code: event for event in self.events}

    @cached_property
    def _by_category(self) -> dict[str, Event]:
        mapped = [event for event in self.events if event.category]
        return {event.category: event for event in sorted(mapped, key=lambda event: event.main)}

    def category(self, code: str) -> str:
        """The category of a code, or an empty string where the table has none for it."""
        event = self._by_code.get(code)
        return event.category if event else ""

    def event(self, category: str) -> Event | None:
        """The event that a category is sent as, or None where the table has none."""
        return self._by_category.get(category)

    def unmapped(self, codes: Iterable[str]) -> list[str]:
        """Those of the codes that lead to no category."""
        return [code for code in codes if not self.category(code)]

    def unsent(self, categories: Iterable[str]) -> list[str]:
        """Those of the categories that no code stands for."""
        return [category for category in categories if category not in self._by_category]
