"""Indicators: how often decisions hold, and the rates by which a hotline is judged.

The rates are those of the governance systems (北蔡: 处置率 及时率 结案率 满意率; 12345: 响应率 解决率 满意率): some
tickets of others, by the events that make them. A ticket counts from when it was dispatched; one that nobody told us
of further counts as not handled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection, Row, Select, case, func, select
from starlette.concurrency import run_in_threadpool

from nlp.errors import InputError
from serving.access.scope import Scope
from serving.schema import Time
from serving.service import Service
from serving.store import tables
from serving.times import millis

DAYS = 30  # of the window where none is asked for
HOUR = 3_600_000  # milliseconds
NAMES = {
    "response": "响应率", "disposal": "处置率", "timeliness": "及时率",
    "closure": "结案率", "resolution": "解决率", "satisfaction": "满意率",
}  # fmt: skip
VERDICTS = ("accepted", "corrected", "returned")


@dataclass(frozen=True)
class Rate:
    """Some tickets of others; no rate where there are no others."""

    code: str
    name: str
    numerator: int
    denominator: int

    @property
    def rate(self) -> float | None:
        """The share."""
        return round(self.numerator / self.denominator, 4) if self.denominator else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"rate": self.rate}


@dataclass(frozen=True)
class Window:
    """From `since` on, before `until`; milliseconds."""

    since: int
    until: int

    def holds(self, at: int | None) -> bool:
        """Whether a time lies in it."""
        return at is not None and self.since <= at < self.until


def rates(tickets: Iterable[Row[Any]], window: Window, limits: Mapping[str, float]) -> list[Rate]:
    """The six rates of a window; its end is the time at which everything is judged.

    limits: profile → hours within which a ticket is to be responded to.
    """
    part: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for ticket in tickets:
        for code, right in _judged(ticket, window, limits):
            whole[code] += 1
            part[code] += right
    return [Rate(code, name, part[code], whole[code]) for code, name in NAMES.items()]


def _judged(ticket: Row[Any], window: Window, limits: Mapping[str, float]) -> Iterable[tuple[str, bool]]:
    """The rates for which a ticket counts, and whether it counts as right."""
    answer_by = ticket.dispatched + round(HOUR * limits.get(ticket.profile, 24.0))
    if window.holds(answer_by):
        yield "response", ticket.responded is not None and ticket.responded <= answer_by
    resolved = ticket.resolved is not None and ticket.resolved < window.until
    if window.holds(ticket.due_at):
        yield "disposal", resolved
        closed = ticket.closed is not None and ticket.closed < window.until
        yield "closure", closed and (ticket.reopened is None or ticket.reopened < ticket.closed)
    in_time = resolved and ticket.due_at is not None and ticket.resolved <= ticket.due_at
    if window.holds(ticket.resolved) or (window.holds(ticket.due_at) and not in_time):
        yield "timeliness", in_time
    for code, said in (("resolution", ticket.caller_resolved), ("satisfaction", ticket.satisfied)):
        if said is not None and window.holds(said // 2):
            yield code, bool(said % 2)


def tickets(window: Window) -> Select[Any]:
    """One row a ticket that was dispatched before the window's end, with the times of its steps.

    The first of a step counts, but the last of resolved, closed and reopened. Of the caller's answers the last one
    counts: it comes as twice its time, plus one for a yes.
    """
    steps, ticket = tables.outcomes.c, tables.decisions.c

    def first(event: str) -> Any:
        return func.min(case((steps.event == event, steps.at)))

    def last(event: str) -> Any:
        return func.max(case((steps.event == event, steps.at)))

    def said(column: Any) -> Any:
        return func.max(case((column.is_(True), 2 * steps.at + 1), (column.is_(False), 2 * steps.at)))

    dispatched = first("dispatched").label("dispatched")
    return (
        select(
            ticket.profile, ticket.due_at, dispatched, first("responded").label("responded"),
            last("resolved").label("resolved"), last("closed").label("closed"), last("reopened").label("reopened"),
            said(steps.satisfied).label("satisfied"), said(steps.caller_resolved).label("caller_resolved"),
        )
        .join_from(tables.decisions, tables.outcomes, ticket.id == steps.decision)
        .where(steps.at < window.until)
        .group_by(ticket.id, ticket.profile, ticket.due_at)
        .having(dispatched.is_not(None))
    )  # fmt: skip


def verdicts(connection: Connection, window: Window) -> dict[str, Any]:
    """How often decisions were accepted, corrected and returned: of each decision the last word counts."""
    said, decided = tables.feedback.c, tables.decisions.c
    latest = (
        select(said.decision, func.max(said.id).label("id"))  # ids grow with time
        .where(said.at >= window.since, said.at < window.until)
        .group_by(said.decision)
        .subquery()
    )
    query = (
        select(decided.category, decided.tier, decided.model, said.verdict, func.count().label("rows"))
        .join_from(tables.feedback, latest, said.id == latest.c.id)
        .join(tables.decisions, decided.id == said.decision)
        .group_by(decided.category, decided.tier, decided.model, said.verdict)
    )
    found = connection.execute(query).all()
    by = {f"by_{name}": _shares(found, name) for name in ("category", "tier", "model")}
    return {"total": _share(Counter({v: sum(r.rows for r in found if r.verdict == v) for v in VERDICTS})), **by}


def _shares(found: Iterable[Row[Any]], name: str) -> list[dict[str, Any]]:
    tallies: dict[str, Counter[str]] = {}
    for row in found:
        tallies.setdefault(getattr(row, name), Counter())[row.verdict] += row.rows
    ordered = sorted(tallies.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    return [{name: value, **_share(tally)} for value, tally in ordered]


def _share(tally: Counter[str]) -> dict[str, Any]:
    total = tally.total()
    shares = {f"{verdict}_rate": round(tally[verdict] / total, 4) if total else None for verdict in VERDICTS}
    return {"decisions": total, **{verdict: tally[verdict] for verdict in VERDICTS}, **shares}


def told(service: Service, since: datetime, until: datetime) -> dict[str, Any]:
    """The whole reply; raises `InputError` for a window without time in it."""
    window = Window(millis(since), millis(until))
    if window.since >= window.until:
        raise InputError(place="since", reason="须早于 until")
    limits = {profile.name: profile.respond_hours for profile in service.office.decider.router.profiles}

    def read(connection: Connection) -> dict[str, Any]:
        decided = tables.decisions.c
        count = select(func.count(), func.sum(case((decided.needs_human, 1), else_=0))).where(
            decided.at >= window.since, decided.at < window.until
        )
        total, human = connection.execute(count).one()
        found = connection.execution_options(yield_per=1000).execute(tickets(window))
        return {
            "since": since.isoformat(timespec="seconds"), "until": until.isoformat(timespec="seconds"),
            "decisions": {"total": total, "needs_human": int(human or 0)},
            "indicators": [rate.as_dict() for rate in rates(found, window, limits)],
            "feedback": verdicts(connection, window),
        }  # fmt: skip

    return service.journal.read(read)


def routes(service: Service) -> APIRouter:
    """`GET /v1/indicators`."""
    router = APIRouter()

    @router.get("/v1/indicators")
    async def indicators(
        request: Request,
        since: Annotated[Time | None, Query(description="从何时起；默认 30 天前")] = None,
        until: Annotated[Time | None, Query(description="到何时为止；默认现在")] = None,
    ) -> dict[str, Any]:
        """认可率、更正率、退单率（按类别、层级、模型），处置率、及时率、结案率、满意率、响应率、解决率。"""
        await service.access.admit(request, Scope.data)
        end = _zoned(service, until) or service.settings.now()
        begin = _zoned(service, since) or end - timedelta(days=DAYS)
        return await run_in_threadpool(told, service, begin, end)

    return router


def _zoned(service: Service, time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=service.settings.zone) if time and not time.tzinfo else time
