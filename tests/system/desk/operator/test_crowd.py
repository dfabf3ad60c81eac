"""Fifty operators at once: whoever sits among them has the suggestion as soon as before."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.desk import LOAD, LOADED, SEATS, SOON, TYPE, WAITED, crowded, percentile, typed
from serving.store import tables
from tests.system.desk.conftest import Visit
from tests.system.desk.operator.conftest import opened, rows, slowness
from tests.system.office import Office

pytestmark = pytest.mark.system
SECONDS = 15


def test_fifty_type_at_once(visit: Visit, office: Office) -> None:
    slow = max(1.0, slowness())
    seats = round(SEATS / slow)  # of a machine that others use too, as many as its share of two cores bears
    with crowded(office.url, SECONDS, seats) as seen:
        page = opened(visit().page)
        loaded = page.evaluate(LOADED)
        taken = [ms - WAITED for ms in page.evaluate(TYPE, typed(20))]
    assert seen.errors == 0, seen.statuses
    assert len(rows(office, tables.feedback)) == len(seen.settled)
    soon = SOON * max(slow, slowness())
    assert percentile(seen.suggested, 0.5) <= soon, (percentile(seen.suggested, 0.5), soon)
    assert statistics.median(taken) <= soon, (sorted(taken), soon)
    assert loaded <= LOAD * max(slow, slowness()), loaded
