"""How long the figures of a month take where there are 200,000 decisions."""

from __future__ import annotations

import time

from sqlalchemy import Engine

from benchmarks import town
from serving.desk.overview.counts import counted
from serving.desk.overview.tickets import Wanted, listed
from serving.desk.overview.verdicts import heard
from serving.store.engine import reading
from tests.serving.desk.overview.conftest import NOW, Book, asked, at

ROWS = 200_000
LIMIT = 3.0  # seconds; alone it takes some tenths of one


def test_a_month_of_many(engine: Engine, book: Book) -> None:
    book.decide("11-20", words=["停水"], due="11-27")
    with reading(engine) as connection:
        from sqlalchemy import select

        from serving.store.tables import decisions

        rows = [dict(row) for row in connection.execute(select(decisions)).mappings()]
    town.fill(engine, town.copied(rows, ROWS, at("01-01"), round(NOW.timestamp() * 1000), told=False))
    begun = time.perf_counter()
    with reading(engine) as connection:
        counts = counted(connection, asked())
        heard(connection, asked())
        page = listed(connection, Wanted(asked()), {})
    taken = time.perf_counter() - begun
    assert counts.total == page.total
    assert counts.total > 15_000
    assert len(page.tickets) == 50
    assert taken < LIMIT
