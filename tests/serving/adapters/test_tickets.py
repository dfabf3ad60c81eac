"""Tickets and spent signatures, on each database: what is asked of the store is asked alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import HTTPException
from ulid_transform import ulid_now

from nlp.decider import Decider, Options
from nlp.petition import Petition
from serving.access.scope import Scope
from serving.access.who import Who
from serving.adapters.apps import App
from serving.adapters.signed import Proof
from serving.adapters.tickets import MOST, Search, Tickets
from serving.journal.decided import Decided
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store import tables
from serving.times import millis

NOW = datetime(2026, 11, 23, 9, 12, 3, tzinfo=UTC)
MINE, OTHER, BOSS = (Who(key, key, scope) for key, scope in (("a", Scope.operator), ("b", Scope.batch),
                                                             ("c", Scope.admin)))  # fmt: skip
Find = Callable[..., list[str]]


@pytest.fixture
def numbers(journal: Journal, decider: Decider) -> list[str]:
    """Three requests of one key, a day apart, the newest first; the oldest closed, the next one opened again."""
    petition, made = Petition("", "楼上卫生间往我家滴水"), []
    for day in range(3):
        decisions = decider.decide([petition], Options(NOW - timedelta(days=day)))
        written = Decided.of(decisions, [petition], MINE, b"x" * 32)
        journal.write_now(lambda unit, rows=written.rows: unit.add(tables.decisions, *rows))
        made.append(decisions[0].decision_id)
    for number, event, at in [(2, "closed", 5), (1, "reopened", 6), (1, "closed", 5), (1, "received", 7)]:
        row = {"id": ulid_now(), "decision": made[number], "event": event, "unit": "", "at": millis(NOW) + at,
               "recorded_at": 0, "key": "a", "digest": f"{number}{event}"}  # fmt: skip
        journal.write_now(lambda unit, row=row: unit.add(tables.outcomes, row))
    return made


@pytest.fixture
def find(journal: Journal) -> Find:
    def found(who: Who = MINE, **query: Any) -> list[str]:
        search = Search.model_validate(query, context=UTC)
        tickets = Tickets(who, {"leak": "漏水渗水"}, UTC)
        rows = journal.read(lambda connection: tickets.found(connection, search, search.span(NOW)))
        return [row["service_request_id"] for row in rows]

    return found


def test_filters(numbers: list[str], find: Find) -> None:
    newest, reopened, closed = numbers
    assert find() == numbers
    assert find(status="open") == [newest, reopened]
    assert find(status="closed") == [closed]
    assert find(status="open,closed") == numbers
    assert find(page=2, page_size=2) == [closed]
    assert find(end_date=(NOW - timedelta(hours=1)).isoformat()) == [reopened, closed]
    assert find(start_date=(NOW - timedelta(hours=1)).isoformat()) == [newest]
    assert find(service_code="nothing\0") == []
    assert find(service_request_id=f"{closed},\0,' OR 1=1 --,{newest}") == [newest, closed]


def test_only_the_own_requests_are_seen(numbers: list[str], find: Find) -> None:
    assert find(OTHER) == find(OTHER, service_request_id=numbers[0]) == []
    assert find(BOSS) == numbers


def test_a_list_of_too_many_numbers_is_cut(numbers: list[str], find: Find) -> None:
    many = ["0" * 26] * MOST
    assert find(service_request_id=",".join([numbers[0], *many])) == [numbers[0]]
    assert find(service_request_id=",".join([*many, numbers[0]])) == []


def test_a_signature_is_spent_once_and_not_by_a_write_that_failed(journal: Journal) -> None:
    app = App("street", "s" * 32)
    one, two = (Proof(app, "ab" * 32, 1, owner) for owner in ("1" * 26, "2" * 26))

    def failing(unit: Unit) -> None:
        one.spend(unit, None)  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.write_now(failing)
    journal.write_now(lambda unit: two.spend(unit, None))
    journal.write_now(lambda unit: two.spend(unit, None))  # the same try once more
    with pytest.raises(HTTPException) as refused:
        journal.write_now(lambda unit: one.spend(unit, None))
    assert refused.value.status_code == 409
