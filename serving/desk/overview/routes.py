"""The addresses of the chief's page: the figures, their tickets, one ticket, and workbooks of both."""

from __future__ import annotations

from asyncio import Lock
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from serving.access.scope import Scope
from serving.access.who import Who
from serving.desk import tongue
from serving.desk.overview import window, workbook
from serving.desk.overview.board import SAID, Board
from serving.desk.overview.figures import became, gathered
from serving.desk.overview.numbers import Numbers
from serving.desk.overview.ticket import looked_up, noted
from serving.desk.overview.tickets import PAGE, Ticket, everything, listed, wanted
from serving.desk.overview.window import Asked, BadWindow
from serving.desk.overview.words import rising
from serving.desk.pages import Pages
from serving.indicators import NAMES, limits_of
from serving.service import Service

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EVENTS = {
    "dispatched": "派单", "received": "接收", "responded": "回应", "resolved": "办结", "closed": "结案",
    "reopened": "重新打开",
}  # fmt: skip
MOST = 20_000  # tickets of a workbook


@dataclass(frozen=True)
class Overview:
    """The pages, each drawn for whoever may see figures. turn: of workbooks of tickets, each of which is large."""

    pages: Pages
    turn: Lock = field(default_factory=Lock)

    @property
    def service(self) -> Service:
        """The service that they tell of."""
        return self.pages.service

    async def board(self, request: Request, who: Who) -> Response:
        """`/overview`: where the address asks for what cannot be, the page says so and shows thirty days."""
        error, status = "", 200
        try:
            asked = self.asked(request)
        except BadWindow as refused:
            error, status, asked = str(refused), 422, self.usual()
        board = self.told(request, asked, await run_in_threadpool(gathered, self.service, asked))
        return self.pages.page(
            request, "overview.html", who, status, board=board, sheets=Numbers(board).sheets, error=error,
            form=self.form(asked, board),
            **self.around(asked, board),
        )  # fmt: skip

    async def became(self, request: Request, who: Who) -> Response:
        """`/overview/rates`: what became of tickets, fetched after the page."""
        asked = self.asked(request)
        found = await run_in_threadpool(became, self.service, asked)
        board = Board(None, asked, self.service.office.decider.model.taxonomy, _say(request), 0)
        return self.pages.page(request, "overview-rates.html", who, tiles=board.rates(found), asked=asked)

    async def words(self, request: Request, who: Who) -> Response:
        """`/overview/words`: what rose, fetched after the page."""
        asked = self.asked(request)
        found = await run_in_threadpool(self.service.journal.read, lambda connection: rising(connection, asked))
        return self.pages.page(request, "overview-words.html", who, heard=found, asked=asked)

    async def figures(self, request: Request, who: Who) -> Response:
        """`/overview/figures.xlsx`: every figure."""
        asked = self.asked(request)
        await noted(self.service, who, "export", "overview")
        content = await run_in_threadpool(self._figures, request, asked)
        return _file(content, f"overview-{asked.since}-{asked.until}.xlsx")

    def _figures(self, request: Request, asked: Asked) -> bytes:
        board = self.told(request, asked, gathered(self.service, asked))
        numbers = Numbers(board)
        summary = numbers.summary([*board.tiles, *board.rates(became(self.service, asked))])
        heard = self.service.journal.read(lambda connection: rising(connection, asked))
        sheets = [summary, *numbers.sheets.values(), *workbook.risen(heard)]
        return workbook.workbook(sheets, self.service.settings.now())

    async def tickets(self, request: Request, who: Who) -> Response:
        """`/overview/tickets`: the decisions behind a figure."""
        which, limits = wanted(request.query_params, self.asked(request)), limits_of(self.service)
        await noted(self.service, who, "list", "tickets")
        found = await run_in_threadpool(
            self.service.journal.read, lambda connection: listed(connection, which, limits, PAGE)
        )
        return self.pages.page(
            request, "overview-tickets.html", who, which=which, listed=found,
            rates=NAMES, **self.around(which.asked, self.told(request, which.asked, None)),
        )  # fmt: skip

    async def file(self, request: Request, who: Who) -> Response:
        """`/overview/tickets.xlsx`: the same as a workbook, at most `MOST` of them."""
        which, limits = wanted(request.query_params, self.asked(request)), limits_of(self.service)

        def read(connection: Connection) -> list[Ticket]:
            return list(everything(connection, which, limits, MOST))

        def made() -> bytes:
            sheet = workbook.tickets(self.service.journal.read(read), self.service.settings.zone, SAID)
            return workbook.workbook([sheet], self.service.settings.now())

        async with self.turn:
            await noted(self.service, who, "export", "tickets")
            content = await run_in_threadpool(made)
        return _file(content, f"tickets-{which.asked.since}-{which.asked.until}.xlsx")

    async def ticket(self, request: Request, who: Who) -> Response:
        """`/overview/tickets/{decision_id}`: one of them whole."""
        found = await looked_up(self.service, who, request.path_params["decision_id"])
        board = self.told(request, self.usual(), None)
        return self.pages.page(
            request,
            "overview-ticket.html",
            who,
            read=found,
            moment=self.service.moment,
            name=board.name,
            said=SAID,
            events=EVENTS,
        )

    def asked(self, request: Request) -> Asked:
        """The window that an address asks for; raises `BadWindow`."""
        settings = self.service.settings
        return window.read(request.query_params, settings.now(), settings.zone)

    def usual(self) -> Asked:
        """The window where none is asked for."""
        return window.read({}, self.service.settings.now(), self.service.settings.zone)

    def told(self, request: Request, asked: Asked, figures: Any) -> Board:
        """The board of a window, in the language of the page."""
        service = self.service
        taxonomy = service.office.decider.model.taxonomy
        return Board(figures, asked, taxonomy, _say(request), service.settings.drift_limit)

    def around(self, asked: Asked, board: Board) -> dict[str, Any]:
        """What every list and picture needs to say what it is about."""
        return {"asked": asked, "name": board.name, "said": SAID, "moment": self.service.moment}

    def form(self, asked: Asked, board: Board) -> dict[str, Any]:
        """What can be chosen: all categories and tiers, and the areas, units and channels that there are."""
        taxonomy, counts = self.service.office.decider.model.taxonomy, board.figures.counts
        found = {
            "category": [(one.code, one.name) for one in taxonomy.labels("category")],
            "tier": [(one.code, one.name) for one in taxonomy.labels("tier")],
            "area": [(one.code, board.name("area", one.code)) for one in counts.area],
            "unit": [(name, name) for name, _ in counts.units if name],
            "channel": [(name, name) for name, _ in counts.channels],
        }
        for name, choices in found.items():
            chosen = getattr(asked, name)
            if chosen and chosen not in dict(choices):
                choices.append((chosen, board.name(name, chosen)))
        return {
            "choices": found, "presets": list(window.presets(asked)), "steps": window.STEPS,
            "compared": window.COMPARED,
        }  # fmt: skip


def routes(pages: Pages) -> APIRouter:
    """All of them."""
    router, overview = APIRouter(), Overview(pages)
    for path, draw in {
        "": overview.board, "/rates": overview.became, "/words": overview.words, "/figures.xlsx": overview.figures,
        "/tickets": overview.tickets, "/tickets.xlsx": overview.file, "/tickets/{decision_id}": overview.ticket,
    }.items():  # fmt: skip
        pages.add(router, f"/overview{path}", Scope.data, draw)
    return router


def _say(request: Request) -> Any:
    return tongue.speaker(tongue.tongue_of(request))


def _file(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)
