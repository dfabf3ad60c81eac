"""Kinds: the type of a column that is made is one that all its cells fit."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import Numeric

from serving.backlog.database.cells import encoded
from serving.backlog.database.kinds import kind_of, type_of


def found(cells: list[Any], database: str = "postgresql") -> Any:
    return type_of({kind_of(cell) for cell in orjson.loads(encoded(cells)) if cell is not None}, database)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([], "Text"),
        ([None], "Text"),
        (["a", ""], "Text"),
        ([1, -(2**62)], "BigInteger"),
        ([1, 1.5, float("nan")], "Double"),
        ([True, None], "Boolean"),
        ([True, 1], "Text"),
        ([b"x"], "LargeBinary"),
        ([date(2026, 1, 2)], "Date"),
        ([time(1, 2)], "Time"),
        ([datetime(2026, 1, 2)], "DateTime"),
        ([datetime(2026, 1, 2, tzinfo=UTC)], "DateTime"),
        ([datetime(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)], "Text"),
        ([date(2026, 1, 2), "infinity"], "Text"),
        ([Decimal("NaN")], "Text"),
        ([Decimal("1e99")], "Text"),
    ],
)
def test_a_column_gets_a_type_that_all_cells_fit(cells: list[Any], name: str) -> None:
    assert type(found(cells)).__name__ == name


@pytest.mark.parametrize(
    ("cells", "digits"),
    [(["12.50", "-0.001"], (5, 3)), (["1E+3"], (4, 0)), (["0.001"], (4, 3)), ([7, "0.5"], (20, 1))],
)
def test_a_decimal_has_room_for_every_digit(cells: list[Any], digits: tuple[int, int]) -> None:
    kind = found([Decimal(cell) if isinstance(cell, str) else cell for cell in cells])
    assert isinstance(kind, Numeric)
    assert (kind.precision, kind.scale) == digits


def test_a_zone_is_kept_as_text_where_times_have_none() -> None:
    cells = [datetime(2026, 1, 2, tzinfo=UTC)]
    assert [type(found(cells, name)).__name__ for name in ("sqlite", "mysql")] == ["Text", "Text"]
    assert found(cells).timezone
