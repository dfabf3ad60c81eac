"""Changes of tables: what was tried, made and taken back, put together from the errands that did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.access.who import Who
from serving.desk.backlog.errands import APPLY, KINDS, PREVIEW, UNDO, change_of
from serving.desk.backlog.tables import Table, Tables
from serving.errands.book import Book
from serving.errands.errand import DONE, Errand
from serving.errors import Clash, Missing
from serving.service import Service

LISTED = 200  # errands


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
        """The newest first."""
        by: dict[str, list[Errand]] = {}
        for errand in await self.book.latest(tuple(KINDS), LISTED):
            by.setdefault(change_of(errand), []).append(errand)
        return [_change(id_, errands) for id_, errands in sorted(by.items(), reverse=True)]

    async def find(self, id: str) -> Change:  # noqa: A002
        """One of them; raises `NoChange`."""
        found = next((change for change in await self.all() if change.id == id), None)
        if found is None:
            raise NoChange
        return found

    async def preview(self, table: Table, who: Who) -> Errand:
        """Try to change a table: nothing is written but a report. Raises `NotNow`, `StoreDown`."""
        if any(change.table == table.name and change.live for change in await self.all()):
            raise NotNow(what="试运行", reason="这张表正在办着一件事，等它办完")
        now = self._service.settings.now().isoformat(timespec="seconds")
        return await self.book.put(who, PREVIEW, table.name, {"now": now})

    async def step(self, change: Change, kind: str, who: Who) -> Errand:
        """Make a change that was tried, or take one back that was made; raises `NotNow`, `StoreDown`."""
        title, table = KINDS[kind].title, self.tables.named(change.table)
        others = [one for one in await self.all() if one.table == table.name and one.id != change.id]
        if change.may != kind:
            raise NotNow(what=title, reason="前一步还没有做完，或者已经撤回")
        if any(one.live for one in others):
            raise NotNow(what=title, reason="这张表正在办着一件事，等它办完")
        if any(one.standing and one.id > change.id for one in others):
            raise NotNow(what=title, reason="这张表后来又改过一次，先撤回后一次")
        asked = {"now": change.steps[PREVIEW].asked["now"], "change": change.id}
        return await self.book.put(who, kind, table.name, asked)


def _change(id_: str, errands: Sequence[Errand]) -> Change:
    """errands: the newest first."""
    steps = {errand.kind: errand for errand in reversed(errands)}
    return Change(id_, errands[0].name, steps, errands)
