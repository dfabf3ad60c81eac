"""Cells: what a database gives goes through JSON and comes back as a database takes it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from serving.backlog.database.cells import encoded, held, kept, restored, row_digest

SIMPLE = (
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63 - 1)
    | some.text(some.characters(exclude_categories=["Cs"]))
)
EXACT = SIMPLE | some.floats(allow_nan=False) | some.binary() | some.decimals(allow_nan=False)


@given(some.lists(EXACT))
def test_what_has_an_exact_form_comes_back(cells: list[Any]) -> None:
    back = [restored(cell) for cell in orjson.loads(encoded(cells))]
    assert back == cells
    assert list(map(type, back)) == list(map(type, cells))


@given(some.lists(EXACT | some.datetimes() | some.dates() | some.times() | some.uuids()))
def test_what_went_through_json_stays_as_it_is(cells: list[Any]) -> None:
    once = held(cells)
    assert orjson.loads(orjson.dumps(once)) == once
    assert row_digest(cells) == row_digest(cells)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (datetime(2026, 11, 23, 9, 12, 3, tzinfo=UTC), "2026-11-23 09:12:03+00:00"),
        (date(2026, 11, 23), "2026-11-23"),
        (time(9, 12), "09:12:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ([1, {"水": None}], '[1,{"水":null}]'),
        ("half \ud83d", "half \ufffd"),
        (2**64, Decimal(2**64)),
        (bytearray(b"\xff"), b"\xff"),
    ],
)
def test_the_others_are_what_a_database_reads(cell: Any, text: Any) -> None:
    ((back,),) = [[restored(one) for one in orjson.loads(encoded([cell]))]]
    assert back == text


def test_numbers_that_are_none_are_not_lost() -> None:
    nan, infinite, nothing = (restored(cell) for cell in kept([math.nan, -math.inf, None]))
    assert math.isnan(nan)
    assert infinite == -math.inf
    assert nothing is None


def test_empty_and_nothing_differ() -> None:
    assert len({row_digest(["", None]), row_digest([None, ""]), row_digest(["", ""]), row_digest([None, None])}) == 4
