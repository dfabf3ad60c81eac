"""Indicators: how often decisions hold, and the rates by which a hotline is judged.

The rates are those of the governance systems (北蔡: 处置率 及时率 结案率 满意率; 12345: 响应率 解决率 满意率): some
tickets of others, by the events that make them. A ticket counts from when it was dispatched; one that nobody told us
of further counts as not handled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import (
    Case,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    union,
)
from starlette.concurrency import run_in_threadpool

from nlp.errors import InputError
from serving.access.scope import Scope
from serving.schema import Time
from serving.service import Service
from serving.store import tables
from serving.times import millis

DAYS = 30  # of the window where none is asked for
HOUR = 3_600_000  # milliseconds
ANSWERED = 24.0  # hours within which a ticket is to be responded to, under a profile that is no longer there
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

    def spans(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a column's time lies in it."""
        return and_(at >= self.since, at < self.until)


def rates(
    connection: Connection, window: Window, limits: Mapping[str, float], only: Sequence[ColumnElement[bool]] = ()
) -> list[Rate]:
    """The six rates of a window; its end is the time at which everything is judged.

    limits: profile → hours within which a ticket is to be responded to. only: which decisions count.
    """
    held = judged(window, limits, only).subquery().c
    sums = [column for code in NAMES for column in (func.sum(held[code]), func.count(held[code]))]
    found = connection.execute(select(*sums)).one()
    return [
        Rate(code, name, int(found[2 * at] or 0), found[2 * at + 1]) for at, (code, name) in enumerate(NAMES.items())
    ]


def judged(window: Window, limits: Mapping[str, float], only: Sequence[ColumnElement[bool]] = ()) -> Select[Any]:
    """One row a ticket: its `id`, and for each rate 1 or 0 where it counts as right or wrong, nothing elsewhere."""
    ticket = _tickets(window, limits, only).subquery().c
    answer_by = ticket.dispatched + ticket.limit
    resolved, closed = ticket.resolved.is_not(None), ticket.closed.is_not(None)
    stays = or_(ticket.reopened.is_(None), ticket.reopened < ticket.closed)
    in_time = and_(resolved, ticket.due_at.is_not(None), ticket.resolved <= ticket.due_at)
    due, solved = window.spans(ticket.due_at), window.spans(ticket.resolved)
    columns = {
        "response": _mark(window.spans(answer_by), and_(ticket.responded.is_not(None), ticket.responded <= answer_by)),
        "disposal": _mark(due, resolved),
        "closure": _mark(due, and_(closed, stays)),
        "timeliness": _mark(or_(solved, and_(due, ~in_time)), in_time),
        "resolution": _mark(window.spans(ticket.caller_resolved // 2), ticket.caller_resolved % 2 == 1),
        "satisfaction": _mark(window.spans(ticket.satisfied // 2), ticket.satisfied % 2 == 1),
    }
    return select(ticket.id, *(column.label(code) for code, column in columns.items()))


def _mark(counts: ColumnElement[bool], right: ColumnElement[bool]) -> Case[Any]:
    return case((counts, case((right, 1), else_=0)))


def _tickets(window: Window, limits: Mapping[str, float], only: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The tickets that may count, with the times of their steps before the window's end.

    The first of a step counts, but the last of resolved, closed and reopened. Of the caller's answers the last one
    counts: it comes as twice its time, plus one for a yes. A ticket counts only where something happened to it within
    the window, or had to: those alone are looked up, for a year's outcomes are millions.
    """
    steps, ticket = tables.outcomes.c, tables.decisions.c

    def first(event: str) -> Any:
        return func.min(case((steps.event == event, steps.at)))

    def last(event: str) -> Any:
        return func.max(case((steps.event == event, steps.at)))

    def said(column: Any) -> Any:
        return func.max(case((column.is_(True), 2 * steps.at + 1), (column.is_(False), 2 * steps.at)))

    longest = round(HOUR * max([ANSWERED, *limits.values()]))
    touched = select(steps.decision).where(steps.at >= window.since - longest, steps.at < window.until)
    due = select(ticket.id).where(window.spans(ticket.due_at))
    way = (
        select(
            steps.decision, first("dispatched").label("dispatched"), first("responded").label("responded"),
            last("resolved").label("resolved"), last("closed").label("closed"), last("reopened").label("reopened"),
            said(steps.satisfied).label("satisfied"), said(steps.caller_resolved).label("caller_resolved"),
        )
        .where(steps.at < window.until, steps.decision.in_(union(touched, due)))
        .group_by(steps.decision)
        .subquery()
    )  # fmt: skip
    hours = [(ticket.profile == name, round(HOUR * limit)) for name, limit in limits.items()]
    limit = case(*hours, else_=round(HOUR * ANSWERED)) if hours else literal(round(HOUR * ANSWERED))
    return (
        select(
            ticket.id, ticket.due_at, limit.label("limit"), *(column for column in way.c if column.name != "decision")
        )
        .join_from(tables.decisions, way, ticket.id == way.c.decision)
        .where(way.c.dispatched.is_not(None), *only)
    )


def latest(window: Window) -> Select[tuple[str]]:
    """The ids of what was said last of each decision within a window; ids grow with time."""
    said = tables.feedback.c
    return select(func.max(said.id)).where(window.spans(said.at)).group_by(said.decision)


def verdicts(connection: Connection, window: Window) -> dict[str, Any]:
    """How often decisions were accepted, corrected and returned: of each decision the last word counts."""
    said, decided = tables.feedback.c, tables.decisions.c
    query = (
        select(decided.category, decided.tier, decided.model, said.verdict, func.count().label("rows"))
        .join_from(tables.feedback, tables.decisions, decided.id == said.decision)
        .where(said.id.in_(latest(window)))
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
    limits = limits_of(service)

    def read(connection: Connection) -> dict[str, Any]:
        decided = tables.decisions.c
        count = select(func.count(), func.sum(case((decided.needs_human, 1), else_=0))).where(
            decided.at >= window.since, decided.at < window.until
        )
        total, human = connection.execute(count).one()
        return {
            "since": since.isoformat(timespec="seconds"), "until": until.isoformat(timespec="seconds"),
            "decisions": {"total": total, "needs_human": int(human or 0)},
            "indicators": [rate.as_dict() for rate in rates(connection, window, limits)],
            "feedback": verdicts(connection, window),
        }  # fmt: skip

    return service.journal.read(read)


def limits_of(service: Service) -> dict[str, float]:
    """Profile → the hours within which a ticket is to be responded to."""
    return {profile.name: profile.respond_hours for profile in service.office.decider.router.profiles}


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
