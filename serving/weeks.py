"""Weeks: what petitions were like, week by week, beside what the model had learned (drift)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request
from sqlalchemy import Connection, case, func, select
from starlette.concurrency import run_in_threadpool

from nlp.drift import Drift, Profile, profile
from nlp.model import Model
from nlp.reader import Reader
from serving.access.scope import Scope
from serving.events.outbox import DRIFTED
from serving.indicators import Window, verdicts
from serving.journal.decided import opened
from serving.journal.unit import Unit
from serving.service import Service
from serving.store import tables
from serving.times import millis

SAMPLE = 1000  # decisions whose words are looked up
LEAST = 300  # decisions of a week, below which nothing is said of drift
SHOWN = 60  # weeks


@dataclass(frozen=True)
class Week:
    """A week's figures. unknown: the share of words that the model does not know, in a sample of `sampled` petitions.

    category, confidence: the population stability index against the training data. noise: what of it chance alone
    makes, (bins − 1)(1/n + 1/m) (Yurdakul 2018, Statistical properties of the population stability index). passed:
    whether one of them is over the limit beyond that.
    """

    week: str
    model: str
    decisions: int
    needs_human: float
    unknown: float
    unknown_before: float
    sampled: int
    confidence_mean: float
    category: float
    confidence: float
    noise: float
    corrected: float | None
    moved: list[tuple[str, float, float]]
    passed: bool


def observed(connection: Connection, model: Model, window: Window, week: str, limit: float) -> Week | None:
    """The figures of a week's decisions by this model; none where there are none, or the model keeps no profile."""
    before = model.card.get("profile")
    found = _profile(connection, model, window)
    if not before or found is None:
        return None
    after, human, sampled = found
    drift = Drift(Profile.from_dict(before), after)
    noise = (len(drift.codes) - 1) * (1 / after.rows + 1 / max(1, drift.before.rows))
    said = verdicts(connection, window)["total"]
    worst = max(drift.stability - noise, drift.confidence)
    return Week(
        week, model.name, after.rows, round(human / after.rows, 4), round(after.unknown, 4),
        round(drift.before.unknown, 4), sampled, round(after.sureness, 4), round(drift.stability, 4),
        round(drift.confidence, 4), round(noise, 4), said["corrected_rate"],
        [(one.code, round(one.before, 4), round(one.after, 4)) for one in drift.moved[:5]],
        after.rows >= LEAST and worst > limit,
    )  # fmt: skip


def _profile(connection: Connection, model: Model, window: Window) -> tuple[Profile, int, int] | None:
    """The week's profile, how many decisions asked for a human, and how many petitions were sampled for words."""
    columns = tables.decisions.c
    mine = columns.at >= window.since, columns.at < window.until, columns.model == model.name
    human = func.sum(case((columns.needs_human, 1), else_=0))
    counted = select(columns.category, func.count(), human).where(*mine).group_by(columns.category)
    mix = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(counted)}
    if not mix:
        return None
    sure = connection.execute(select(columns.confidence).where(*mine)).scalars()
    confidence = np.fromiter(sure, np.float64)
    newest = select(columns.content).where(*mine).order_by(columns.at.desc()).limit(SAMPLE)
    decided = [opened(content) for content in connection.execute(newest).scalars()]
    texts = Reader().fields([text for one in decided for text in (one["masked_title"], one["masked_text"])]).texts
    seen = profile(model, texts, {code: count for code, (count, _) in mix.items()}, confidence)
    whole = replace(seen, rows=sum(count for count, _ in mix.values()))
    return whole, sum(count for _, count in mix.values()), len(decided)


def bounds(now: datetime, back: int) -> tuple[str, Window]:
    """The ISO week that lies so many weeks back, and when it begins and ends in the time zone of `now`."""
    monday = (now - timedelta(days=now.weekday(), weeks=back)).replace(hour=0, minute=0, second=0, microsecond=0)
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}", Window(millis(monday), millis(monday + timedelta(weeks=1)))


def observe(service: Service) -> str:
    """Write the figures of this week and the last one, and say so where drift passes the limit."""
    found = [seen for back in (0, 1) if (seen := _observed(service, back))]
    if found:
        service.metrics.drifted(found[0].category, found[0].confidence, found[0].unknown, found[0].corrected or 0.0)
    return "、".join(seen.week for seen in found if seen.passed) or "ok"


def _observed(service: Service, back: int) -> Week | None:
    model, now, limit = service.office.decider.model, service.settings.now(), service.settings.drift_limit
    week, window = bounds(now, back)
    seen = service.journal.read(lambda connection: observed(connection, model, window, week, limit))
    if seen:
        service.journal.write_now(lambda unit: _write(service, unit, seen, millis(now)))
    return seen


def _write(service: Service, unit: Unit, week: Week, now: int) -> None:
    content = orjson.dumps(asdict(week))
    row = {"week": week.week, "model": week.model, "at": now, "content": content}
    columns = tables.weeks.c
    same = columns.week == week.week, columns.model == week.model
    before = unit.connection.scalar(select(columns.content).where(*same))
    if before is None:
        unit.add(tables.weeks, row)
    else:
        unit.connection.execute(tables.weeks.update().where(*same).values(at=now, content=content))
    if week.passed and not (before and orjson.loads(before)["passed"]):
        service.outbox.put(unit, DRIFTED, f"{week.week} {week.model}", content)


def routes(service: Service) -> APIRouter:
    """`GET /v1/drift`."""
    router = APIRouter()

    def told() -> list[dict[str, Any]]:
        newest = select(tables.weeks.c.content).order_by(tables.weeks.c.week.desc(), tables.weeks.c.at.desc())
        found: Sequence[bytes] = service.journal.read(
            lambda connection: connection.execute(newest.limit(SHOWN)).scalars().all()
        )
        return [orjson.loads(content) for content in found]

    @router.get("/v1/drift")
    async def drift(request: Request) -> dict[str, Any]:
        """每一周的诉求与训练时相差多少：类别分布、把握、没见过的词、更正率；最近的在前。"""
        await service.access.admit(request, Scope.data)
        return {"limit": service.settings.drift_limit, "weeks": await run_in_threadpool(told)}

    return router
