"""The pages of the data desk, filled in with how things stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection, func, select
from starlette.concurrency import run_in_threadpool

from corpora.columns import LEARNED, ROLES
from nlp.petition import Petition
from nlp.taxonomy import TASK_NAMES, TASKS, Taxonomy
from serving.access.who import Who
from serving.desk.data import errands as kinds
from serving.desk.data import opinions
from serving.desk.data.labelling import Labelling, counted
from serving.desk.data.register import EVENTS, Register, fitted, live
from serving.desk.data.report import files
from serving.desk.data.settling import Settling, taxonomy_of
from serving.desk.data.uploads import Uploads
from serving.desk.overview.ticket import looked_up, noted
from serving.desk.pages import Pages
from serving.errands.book import Book
from serving.errands.errand import CANCELLED, DONE, FAILED, RUNNING, STOPPING, WAITING, Errand
from serving.errors import Missing
from serving.journal.decided import storable
from serving.store.tables import feedback
from serving.times import millis

STATES = {
    WAITING: "等待", RUNNING: "进行中", STOPPING: "正在停", DONE: "完成", FAILED: "没有做成", CANCELLED: "已取消",
}  # fmt: skip
SPANS = (7, 30, 90, 400)  # days of opinions that people may ask for
DAY = 86_400_000  # milliseconds
VERDICTS = {"accepted": "采纳", "corrected": "更正", "returned": "退单"}
GUESSES = 5  # categories that are offered by number


class NothingThere(Missing):
    """这里还没有东西：要先做成一次"""


class Drawing:
    """Draws them."""

    def __init__(self, pages: Pages, uploads: Uploads, book: Book) -> None:
        self._pages = pages
        self._service = pages.service
        self._uploads = uploads
        self._book = book
        self._home = pages.service.settings.home

    def _page(self, request: Request, template: str, who: Who, **data: Any) -> Response:
        return self._pages.page(
            request, f"data/{template}.html", who, when=self._when, dated=self._dated, states=STATES, roles=ROLES,
            fixed=self._service.settings.model, kinds=kinds.KINDS, tasks=TASK_NAMES, **data,
        )  # fmt: skip

    def _when(self, at: int | None) -> str:
        """A time as people read it; empty where there is none."""
        return f"{self._service.moment(at):%m-%d %H:%M}" if at else ""

    def _dated(self, time: str) -> str:
        """A time of the register, which is written down in the zone of whatever machine it was, in the office's own."""
        try:
            return f"{datetime.fromisoformat(time).astimezone(self._service.settings.zone):%Y-%m-%d %H:%M}"
        except ValueError:
            return time

    async def overview(self, request: Request, who: Who) -> Response:
        """The model in use, uploads, and what is being done."""
        uploads = await run_in_threadpool(self._uploads.all)
        errands = await self._book.latest(kinds.KINDS, 12)
        register = await run_in_threadpool(Register.read, self._home)
        refused = self._service.office.refused_model
        return self._page(
            request, "overview", who, uploads=uploads, errands=errands, live=live(self._service), register=register,
            refused=refused, active=any(errand.live for errand in errands),
        )  # fmt: skip

    async def upload(self, request: Request, who: Who) -> Response:
        """One upload: its columns, and what can be done with it."""
        upload = await self._uploads.find(request.path_params["id"])
        register = await run_in_threadpool(Register.read, self._home)
        settled = await run_in_threadpool(self._uploads.settled, upload.id)
        corrected = await run_in_threadpool(self._service.journal.read, _corrected)
        answers = await run_in_threadpool(lambda: sum(map(counted, self._uploads.folder.all_answers())))
        changed = sum(not note["kept"] for note in settled.values())
        return self._page(
            request, "upload", who, upload=upload, learned=LEARNED, register=register, changed=changed,
            corrected=corrected, answers=answers,
        )  # fmt: skip

    async def errand(self, request: Request, who: Who) -> Response:
        """One errand: how far it is, or what came of it."""
        errand = await self._book.find(request.path_params["id"], kinds.KINDS)
        return self._page(request, "errand", who, errand=errand, **await run_in_threadpool(self._came, errand))

    def _came(self, errand: Errand) -> dict[str, Any]:
        """What came of an errand: a model with its report, a comparison, a list."""
        folder, register = self._uploads.folder, Register.read(self._home)
        made = fitted(folder.models(errand.asked["fit"] if errand.kind == kinds.PROMOTE else errand.id))
        name = made.name if made else str(errand.asked.get("version", ""))
        settling = Settling.read(folder, errand.id, errand.asked.get("upload", ""))
        labelling = Labelling.read(folder, errand.id)
        event = register.event(name) if errand.kind == kinds.PROMOTE and not errand.live else None
        return {
            "made": made, "live": live(self._service), "files": files(folder.report(errand.id)), "settling": settling,
            "labelling": labelling, "register": register, "version": name,
            "comparison": (event or {}).get("comparison"),
        }  # fmt: skip

    async def models(self, request: Request, who: Who) -> Response:
        """The register."""
        register = await run_in_threadpool(Register.read, self._home)
        return self._page(
            request, "models", who, register=register, live=live(self._service), events=EVENTS,
            refused=self._service.office.refused_model,
        )  # fmt: skip

    async def lists(self, request: Request, who: Who) -> Response:
        """The lists to be labelled, and where the next one comes from."""
        errands = await self._book.latest([kinds.NEXT])
        held = await run_in_threadpool(
            lambda: {errand.id: Labelling.read(self._uploads.folder, errand.id) for errand in errands}
        )
        uploads = await run_in_threadpool(self._uploads.all)
        active = any(errand.live for errand in errands)
        return self._page(request, "lists", who, errands=errands, held=held, uploads=uploads, active=active)

    async def label(self, request: Request, who: Who) -> Response:
        """One list, to be labelled by keyboard."""
        errand = await self._book.find(request.path_params["id"], [kinds.NEXT])
        labelling = await run_in_threadpool(Labelling.read, self._uploads.folder, errand.id)
        if not labelling.items:
            raise NothingThere
        await noted(self._service, who, "list", errand.id)
        petitions = [Petition(item["id"], item["text"], item["title"]) for item in labelling.items]
        decisions = await self._service.decided(petitions)
        items = [
            {
                **item,
                "guesses": [decision.category.code, *(one.code for one in decision.category.alternatives)][:GUESSES],
                "said": {task: code for task in TASKS if (code := said.get(task))} if said is not None else None,
            }
            for item, decision in zip(labelling.items, decisions, strict=True)
            for said in [labelling.answers.get(item["id"])]
        ]
        taxonomy = self._service.office.decider.model.taxonomy
        return self._page(request, "label", who, errand=errand, held={"items": items, "labels": labels(taxonomy)})

    async def suspects(self, request: Request, who: Who) -> Response:
        """The doubted labels of a retraining, to be settled by keyboard."""
        errand = await self._book.find(request.path_params["id"], [kinds.FIT])
        folder = self._uploads.folder
        settling = await run_in_threadpool(Settling.read, folder, errand.id, errand.asked["upload"])
        taxonomy = await run_in_threadpool(taxonomy_of, folder.models(errand.id))
        if not settling.items or taxonomy is None:
            raise NothingThere
        await noted(self._service, who, "list", errand.id)
        held = {"items": settling.items, "said": settling.codes(), "labels": labels(taxonomy)}
        return self._page(request, "suspects", who, errand=errand, held=held)

    async def opinions(self, request: Request, who: Who) -> Response:
        """What operators said, and where they do not agree."""
        days = int(asked) if (asked := request.query_params.get("days", "30")) in map(str, SPANS) else SPANS[1]
        since = millis(self._service.settings.now()) - days * DAY
        operator, read = request.query_params.get("operator"), self._service.journal.read
        operator = storable(operator) if operator is not None else None
        await noted(self._service, who, "list", "opinions")
        found = await run_in_threadpool(read, lambda store: opinions.operators(store, since))
        corrections = await run_in_threadpool(read, lambda store: opinions.corrections(store, since, operator))
        disputed = await run_in_threadpool(read, lambda store: opinions.disagreements(store, since))
        return self._page(
            request, "opinions", who, operators=found, corrections=corrections, disagreements=disputed, days=days,
            spans=SPANS, operator=operator, names=_names(self._service.office.decider.model.taxonomy),
        )  # fmt: skip

    async def ticket(self, request: Request, who: Who) -> Response:
        """One petition: what was decided, and what people said of that."""
        found = await looked_up(self._service, who, request.path_params["id"])
        names = _names(self._service.office.decider.model.taxonomy)
        return self._page(
            request, "ticket", who, decision=found.decision, said=found.feedback, names=names, verdicts=VERDICTS
        )  # fmt: skip


def labels(taxonomy: Taxonomy) -> dict[str, list[dict[str, str]]]:
    """Task → code, name and path of each label, for a page to search."""
    return {
        task: [
            {"code": label.code, "name": label.name, "path": "/".join(taxonomy.paths.get(label.code, [label.name]))}
            for label in taxonomy.labels(task)
        ]
        for task in TASKS
    }


def _names(taxonomy: Taxonomy) -> Mapping[tuple[str, str], str]:
    return {(task, label.code): label.name for task in TASKS for label in taxonomy.labels(task)}


def _corrected(connection: Connection) -> int:
    """How many decisions operators have accepted or corrected."""
    said = feedback.c.verdict.in_(("accepted", "corrected"))
    return int(connection.scalar(select(func.count(func.distinct(feedback.c.decision))).where(said)) or 0)
