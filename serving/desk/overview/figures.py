"""Figures: what was decided, what was said of it, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from serving.desk.overview.counts import Counts, counted
from serving.desk.overview.verdicts import Said, heard
from serving.desk.overview.window import Asked
from serving.indicators import Rate, limits_of, rates
from serving.service import Service
from serving.store import tables

WEEKS = 26  # of drift
URGENT = 6  # tickets that crossed a red line


@dataclass(frozen=True)
class Figures:
    """What is told of a window. urgent: the newest decisions that crossed a red line, without their texts.

    weeks: of drift, the oldest first. ever: whether there is any decision at all.
    """

    counts: Counts
    said: Said
    urgent: Sequence[Any]
    weeks: list[dict[str, Any]]
    ever: bool


@dataclass(frozen=True)
class Became:
    """What became of tickets: the rates of a window, and code → the rate of the one before."""

    rates: list[Rate]
    before: dict[str, float | None]


def gathered(service: Service, asked: Asked) -> Figures:
    """What was decided and what was said of it, as of one moment; raises `StoreDown`."""
    model = service.office.decider.model.name

    def read(connection: Connection) -> Figures:
        ever = connection.scalar(select(tables.decisions.c.id).limit(1)) is not None
        return Figures(
            counted(connection, asked), heard(connection, asked), _urgent(connection, asked), _weeks(connection, model),
            ever,
        )  # fmt: skip

    return service.journal.read(read)


def became(service: Service, asked: Asked) -> Became:
    """What became of tickets: every step of theirs is looked at, so it takes seconds where there are a million."""
    limits = limits_of(service)

    def read(connection: Connection) -> Became:
        earlier = rates(connection, asked.before.window, limits, asked.only)
        now = rates(connection, asked.window, limits, asked.only)
        return Became(now, {one.code: one.rate for one in earlier})

    return service.journal.read(read)


def _urgent(connection: Connection, asked: Asked) -> Sequence[Any]:
    column = tables.decisions.c
    found = select(column.id, column.petition, column.at, column.red_line, column.category, column.unit)
    crossed = found.where(asked.window.spans(column.at), column.red_line.is_not(None), *asked.only)
    return connection.execute(crossed.order_by(column.at.desc(), column.id.desc()).limit(URGENT)).all()


def _weeks(connection: Connection, model: str) -> list[dict[str, Any]]:
    """The newest weeks of the model in use, the oldest of them first."""
    column = tables.weeks.c
    newest = select(column.content).where(column.model == model).order_by(column.week.desc()).limit(WEEKS)
    return [orjson.loads(content) for content in connection.execute(newest).scalars()][::-1]
