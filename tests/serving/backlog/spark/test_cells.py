from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.rows.row import Row
from nlp.errors import InputError
from serving.backlog.spark.cells import decoded, encoded

PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters()), st.binary(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)), st.dates(), st.times(), st.timedeltas(),
    st.decimals(allow_nan=False),
)  # fmt: skip
CELLS = st.recursive(
    PLAIN, lambda held: st.lists(held, max_size=3) | st.dictionaries(st.text(), held, max_size=3)
    | st.tuples(held, held), max_leaves=6,
)  # fmt: skip
ROWS = st.builds(Row, st.integers(1, 1 << 40), st.lists(CELLS, max_size=4).map(tuple), st.text(), st.text())


@given(st.lists(ROWS, max_size=4))
def test_rows_come_out_as_they_went_in(rows: list[Row]) -> None:
    found = decoded(encoded(rows))
    assert found == rows
    assert [list(map(type, row.cells)) for row in found] == [list(map(type, row.cells)) for row in rows]


@pytest.mark.parametrize(
    "cell",
    ["\ud83d", "a\udfffb", float("inf"), -0.0, 10**30, (1 << 53) - 1, -(1 << 53), Decimal("1.50"), b"\x00\xff",
     datetime(2026, 3, 1, 9, tzinfo=UTC), date(2026, 3, 1), time(9, 30), timedelta(-1, 5, 7), [("a", 1)],
     {"str": "not a tag"}, {1: None}, True, 1, 1.0],
)  # fmt: skip
def test_no_value_and_no_type_is_lost(cell: Any) -> None:
    [row] = decoded(encoded([Row(7, (cell, "路灯"), "", "表一")]))
    assert repr(row.cells) == repr((cell, "路灯"))
    assert (row.number, row.sheet) == (7, "表一")


def test_not_a_number_stays_one() -> None:
    [row] = decoded(encoded([Row(1, (float("nan"),))]))
    assert row.cells[0] != row.cells[0]


def test_a_cell_of_a_kind_that_no_source_has_is_named() -> None:
    with pytest.raises(InputError, match="object"):
        encoded([Row(1, (object(),))])


def test_rejects_keep_their_reason() -> None:
    rows = [Row(3, ("半行",), "列数不对"), Row(4, (), "编码不对", "表二")]
    assert decoded(encoded(rows)) == rows
