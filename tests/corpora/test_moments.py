"""Times are read as offices write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from corpora.moments import CHINA, moment


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("2024-03-05T08:01:02", (2024, 3, 5, 8, 1, 2)),
        (" 2024-03-05 08:01:02.123 ", (2024, 3, 5, 8, 1, 2)),
        ("2024/3/5 8:01", (2024, 3, 5, 8, 1)),
        ("2024/3/5", (2024, 3, 5)),
        ("2024年3月5日8时1分", (2024, 3, 5, 8, 1)),
        ("2024.3.5", (2024, 3, 5)),
        ("20240305080102", (2024, 3, 5, 8, 1, 2)),
        ("20240305", (2024, 3, 5)),
    ],
)
def test_times_are_read_as_offices_write_them(value: str, parts: tuple[int, ...]) -> None:
    assert moment(value) == datetime(*parts, tzinfo=CHINA)  # type: ignore[arg-type]


def test_a_time_with_a_zone_keeps_it() -> None:
    assert moment("2024-03-05T00:01:02Z") == datetime(2024, 3, 5, 0, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "昨天", "2024/13/5", "2024-02-30 08:00", "20241305080102", "12", "8:01"])
def test_other_times_are_none(value: str) -> None:
    assert moment(value) is None
