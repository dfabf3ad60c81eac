"""Changes of tables: what was tried, made and taken back, put together from the errands that did it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from serving.access.who import Who
from serving.desk.backlog.errands import APPLY, KINDS, PREVIEW, UNDO, change_of
from serving.desk.backlog.tables import Table, Tables
from serving.errands import queue
from serving.errands.book import Book
from serving.errands.errand import DONE, Errand
from serving.errors import Clash, Missing
from serving.feedback import ULID
from serving.service import Service

ID = re.compile(ULID)
LISTED = 200  # errands whose changes the first page shows


class NotNow(Clash):
    """现在不能{what}：{reason}"""


class NoChange(Missing):
    """没有这次修改：编号不对，或者记录已经删去"""


@dataclass(frozen=True)
class Change:
    """One of them. steps: the last errand of each kind, of those that there are."""

    id: str
    table: str
    steps: Mapping[str, Errand]
    errands: Sequence[Errand]

    @property
    def live(self) -> Errand | None:
        """What is being done now, or waits."""
        return next((errand for errand in self.errands if errand.live), None)

    def done(self, kind: str) -> bool:
        """Whether a step was done to its end."""
        return kind in self.steps and self.steps[kind].state == DONE

    @property
    def standing(self) -> bool:
        """Whether the table is changed, wholly or in part."""
        return APPLY in self.steps and not self.done(UNDO)

    @property
    def may(self) -> str:
        """The step that can come next; empty where none can."""
        if self.live or self.done(UNDO):
            return ""
        if self.done(APPLY):
            return UNDO
        return APPLY if self.done(PREVIEW) else ""


class Changes:
    """All of them, whoever asked for them: the tables are the office's. Raises `RefusedData` for a wrong list."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.book = Book(service.journal, service.settings)
        self.tables = Tables.read(service.settings.tables)

    async def all(self) -> list[Change]:
        """The latest ones, the newest first."""
        return _changes(await self.book.latest(tuple(KINDS), LISTED))

    async def find(self, id: str) -> Change:  # noqa: A002
        """One of them, however old; raises `NoChange`."""
        found = await run_in_threadpool(self._service.journal.read, lambda store: _found(store, id))
        if found is None:
            raise NoChange
        return found

    async def preview(self, table: Table, who: Who) -> Errand:
        """Try to change a table: nothing is written but a report. Raises `NotNow`, `StoreDown`."""

        def check(store: Connection) -> None:
            if any(change.live for change in _about(store, table.name)):
                raise NotNow(what="试运行", reason="这张表正在办着一件事，等它办完")

        now = self._service.settings.now().isoformat(timespec="seconds")
        return await self.book.put(who, PREVIEW, table.name, {"now": now}, check)

    async def step(self, change: Change, kind: str, who: Who) -> Errand:
        """Make a change that was tried, or take one back that was made; raises `NotNow`, `StoreDown`."""
        table = self.tables.named(change.table)
        asked = {"now": change.errands[-1].asked["now"], "change": change.id}
        return await self.book.put(who, kind, table.name, asked, lambda store: _refuse(store, change, kind))


def _refuse(store: Connection, wanted: Change, kind: str) -> None:
    """Raise `NotNow` where a step cannot come next, as things stand by now."""
    title, changes = KINDS[kind].title, _about(store, wanted.table)
    others = [change for change in changes if change.id != wanted.id]
    if not any(change.id == wanted.id and change.may == kind for change in changes):
        raise NotNow(what=title, reason="前一步还没有做完，或者已经撤回")
    if any(change.live for change in others):
        raise NotNow(what=title, reason="这张表正在办着一件事，等它办完")
    if any(change.standing and change.id > wanted.id for change in others):
        raise NotNow(what=title, reason="这张表后来又改过一次，先撤回后一次")


def _found(store: Connection, wanted: str) -> Change | None:
    """One of them: its errands are found by the table that the first of them names."""
    first = queue.find(store, wanted) if ID.fullmatch(wanted) else None
    changes = _about(store, first.name) if first else []
    return next((change for change in changes if change.id == wanted), None)


def _about(store: Connection, table: str) -> list[Change]:
    """Those of a table, the newest first."""
    return _changes(queue.about(store, table, tuple(KINDS)))


def _changes(errands: Sequence[Errand]) -> list[Change]:
    """errands: the newest first."""
    by: dict[str, list[Errand]] = {}
    for errand in errands:
        by.setdefault(change_of(errand), []).append(errand)
    return [_change(id_, found) for id_, found in sorted(by.items(), reverse=True)]


def _change(id_: str, errands: Sequence[Errand]) -> Change:
    """errands: the newest first."""
    steps = {errand.kind: errand for errand in reversed(errands)}
    return Change(id_, errands[0].name, steps, errands)
