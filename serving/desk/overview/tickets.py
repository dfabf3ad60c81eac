"""Tickets: the decisions behind a figure, a page at a time by key, the newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from serving.desk.overview.window import Asked, BadWindow, plain
from serving.desk.overview.words import KINDS, words_of
from serving.indicators import NAMES, VERDICTS, judged, latest
from serving.journal.decided import opened
from serving.store import tables

PAGE = 50
READ = 4000  # contents that are looked through for a word, before somebody has to ask for more
AFTER = re.compile(r"(\d{1,15})-([0-9A-HJKMNP-TV-Z]{26})")
WORD = 100  # characters


@dataclass(frozen=True)
class Wanted:
    """Which tickets. rate, held: those that count for a rate, as right (1) or wrong (0); kind, word: what they hold.

    after: the time and the id of the last ticket of the page before.
    """

    asked: Asked
    verdict: str = ""
    rate: str = ""
    held: str = ""
    human: bool = False
    red: str = ""
    kind: str = ""
    word: str = ""
    instead: str = ""
    after: tuple[int, str] | None = None

    def query(self, **other: Any) -> str:
        """The query of an address that asks for the same, or with something else."""
        own = {name: getattr(self, name) for name in ("verdict", "rate", "held", "red", "kind", "word", "instead")}
        return self.asked.query(**own, **{"human": "1" if self.human else ""} | other)


@dataclass(frozen=True)
class Ticket:
    """One row of the list; decision: as plain data; verdict: the last word on it, if any."""

    row: Row[Any]
    decision: dict[str, Any]
    verdict: str


@dataclass(frozen=True)
class Listed:
    """A page of tickets. total: how many there are, where that is known; after: where the next page begins."""

    tickets: list[Ticket]
    total: int | None
    after: str


def wanted(given: Mapping[str, str], asked: Asked) -> Wanted:
    """Which tickets an address asks for; raises `BadWindow`."""
    for name, allowed in {"verdict": VERDICTS, "rate": NAMES, "held": ("0", "1"), "kind": KINDS}.items():
        if given.get(name, "") not in {"", *allowed}:
            raise BadWindow(reason=f"{name} 只能是 {'、'.join(allowed)}")
    word = given.get("word", "")
    if len(word) > WORD or bool(word) != bool(given.get("kind", "")):
        raise BadWindow(reason=f"word 须与 kind 同写，最多 {WORD} 字")
    own = {name: plain(given, name) for name in ("verdict", "rate", "held", "red", "kind", "word", "instead")}
    return Wanted(asked, human=given.get("human", "") == "1", after=_after(given.get("after", "")), **own)


def _after(written: str) -> tuple[int, str] | None:
    found = AFTER.fullmatch(written)
    if written and not found:
        raise BadWindow(reason="after 须是上一页末尾给出的位置")
    return (int(found[1]), found[2]) if found else None


def listed(connection: Connection, which: Wanted, limits: Mapping[str, float], many: int = PAGE) -> Listed:
    """A page of tickets; where a word is looked for, the page may be short and yet not the last one."""
    if which.word:
        return _searched(connection, which, limits, many)
    rows = list(_rows(connection, which, limits, many + 1))
    total = None if which.after or which.rate else _total(connection, which, limits)  # a rate's takes seconds
    after = _place(rows[many - 1]) if len(rows) > many else ""
    return Listed(_told(connection, rows[:many]), total, after)


def _searched(connection: Connection, which: Wanted, limits: Mapping[str, float], many: int) -> Listed:
    """The same where the contents have to be read."""
    found: list[Row[Any]] = []
    read, last = 0, None
    for row in _rows(connection, which, limits, READ):
        if len(found) == many:
            break
        read, last = read + 1, row
        if (which.kind, which.word) in set(words_of(opened(row.content))):
            found.append(row)
    over = read == READ or len(found) == many
    return Listed(_told(connection, found), None, _place(last) if over and last else "")


def _rows(connection: Connection, which: Wanted, limits: Mapping[str, float], many: int) -> Iterator[Row[Any]]:
    column = tables.decisions.c
    below = []
    if which.after:
        at, name = which.after
        below = [column.at <= at, or_(column.at < at, column.id < name)]
    query = select(tables.decisions).where(*_meant(which, limits), *below)
    ordered = query.order_by(column.at.desc(), column.id.desc()).limit(many)
    yield from connection.execution_options(yield_per=min(many, 500)).execute(ordered)


def _total(connection: Connection, which: Wanted, limits: Mapping[str, float]) -> int:
    query: Select[Any] = select(func.count()).select_from(tables.decisions)
    return int(connection.scalar(query.where(*_meant(which, limits))) or 0)


def _meant(which: Wanted, limits: Mapping[str, float]) -> Iterator[ColumnElement[bool]]:
    """What is asked of a decision. What was said of it, or became of it, in the window counts by its own time."""
    column, said, window = tables.decisions.c, tables.feedback.c, which.asked.window
    yield from which.asked.only
    if not which.verdict and not which.rate:
        yield window.spans(column.at)
    if which.verdict:
        instead = (said.category == which.instead,) if which.instead else ()
        last = said.id.in_(latest(window)), said.verdict == which.verdict, *instead
        yield column.id.in_(select(said.decision).where(*last))
    if which.rate:
        ways = judged(window, limits, which.asked.only).subquery().c
        mark = ways[which.rate]
        yield column.id.in_(select(ways.id).where(mark == int(which.held) if which.held else mark.is_not(None)))
    if which.human:
        yield column.needs_human.is_(True)
    if which.red:
        yield column.red_line.is_not(None) if which.red == "1" else column.red_line == which.red


def _told(connection: Connection, rows: list[Row[Any]]) -> list[Ticket]:
    said = tables.feedback.c
    ids = [row.id for row in rows]
    query = select(said.decision, said.verdict).where(said.decision.in_(ids)).order_by(said.id)
    last = {row.decision: row.verdict for row in connection.execute(query)}
    return [Ticket(row, opened(row.content), last.get(row.id, "")) for row in rows]


def _place(row: Row[Any]) -> str:
    return f"{row.at}-{row.id}"


def everything(connection: Connection, which: Wanted, limits: Mapping[str, float], most: int) -> Iterator[Ticket]:
    """The tickets of all pages, at most so many."""
    left, after = most, which.after
    while left > 0:
        page = listed(connection, replace(which, after=after), limits, min(500, left))
        yield from page.tickets
        left -= len(page.tickets)
        if not page.after:
            return
        after = _after(page.after)
