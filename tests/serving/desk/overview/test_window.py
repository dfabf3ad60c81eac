"""Windows: what an address may ask for, what it may not, and that it comes back as it was."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest

from serving.desk.overview.window import PRESETS, BadWindow, presets
from tests.serving.desk.overview.conftest import asked, at


def test_thirty_days_where_nothing_is_asked() -> None:
    found = asked()
    assert (found.since, found.until, found.days) == (date(2026, 10, 25), date(2026, 11, 23), 30)
    assert (found.step, len(found.steps)) == ("day", 30)
    assert (found.window.since, found.window.until) == (at("10-25"), at("11-24"))
    assert (found.before.since, found.before.until) == (date(2026, 9, 25), date(2026, 10, 24))


@pytest.mark.parametrize(
    ("preset", "since", "step"),
    [("today", date(2026, 11, 23), "day"), ("week", date(2026, 11, 17), "day"), ("this", date(2026, 11, 1), "day"),
     ("year", date(2025, 11, 24), "week")],
)  # fmt: skip
def test_presets_end_today(preset: str, since: date, step: str) -> None:
    found = asked(preset=preset)
    assert (found.since, found.until, found.step) == (since, date(2026, 11, 23), step)


def test_a_leap_day_is_compared_with_the_day_before_it() -> None:
    found = asked(since="2028-02-29", until="2028-02-29", compare="year").before
    assert found.since == found.until == date(2027, 2, 28)


def test_weeks_and_months_are_cut_at_the_ends() -> None:
    weeks = asked(since="2026-11-04", until="2026-11-17", step="week").steps
    assert [(step.since.day, step.until.day) for step in weeks] == [(4, 8), (9, 15), (16, 17)]
    months = asked(since="2026-09-30", until="2026-11-01", step="month").steps
    assert [step.name for step in months] == ["2026-09", "2026-10", "2026-11"]
    assert sum((step.until - step.since).days + 1 for step in months) == 33


def test_every_day_has_its_step() -> None:
    found = asked(since="2026-10-28", until="2026-11-03", step="month")
    places = found.places()
    assert sorted(places.values()) == [0] * 4 + [1] * 3
    assert (found.window.since + found.offset) // 86_400_000 == min(places)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"since": "2026-11-24"}, "晚于"), ({"since": "gestern"}, "日期"), ({"until": "2026-02-30"}, "日期"),
     ({"since": "0001-01-01", "until": "2026-01-01"}, "年份"), ({"since": "2020-01-01"}, "最多看 1100"),
     ({"step": "hour"}, "step 只能是"), ({"compare": "x"}, "compare 只能是"), ({"preset": "ever"}, "preset 只能是"),
     ({"since": "2026-01-01", "step": "day"}, "画不下")],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(given: dict[str, str], told: str) -> None:
    with pytest.raises(BadWindow, match=told):
        asked(**given)


def test_an_address_comes_back_as_it_was() -> None:
    found = asked(since="2026-11-01", until="2026-11-09", category="leak", unit="街道 & 社区", compare="year")
    assert asked(**dict(parse_qsl(found.query()))) == found
    assert dict(parse_qsl(found.query(category="", red=1)))["red"] == "1"
    assert "category" not in found.query(category="")


def test_presets_keep_what_is_filtered_by() -> None:
    queries = dict(presets(asked(category="leak")))
    assert list(queries) == list(PRESETS.values())
    assert all("category=leak" in query and "since" not in query for query in queries.values())
