"""Clocks: what is due when, to the minute, against a reference that walks minute by minute."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.reader import Reader
from nlp.route.calendar import Calendar
from nlp.route.clock import RUNNING, USUAL_HOURS, WORKING_DAY, WORKING_HOUR, ClockTable, Limit, due
from nlp.route.crosswalk import Crosswalk
from nlp.route.facts import Facts
from nlp.route.groups import Groups
from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.route.words import Words
from nlp.taxonomy import Taxonomy

MINUTE = timedelta(minutes=1)
CALENDAR = Calendar.read(RULES / "holidays.toml")
CHINA = ZoneInfo("Asia/Shanghai")
ZONES = [
    "Asia/Shanghai", "UTC", "Asia/Tokyo", "Asia/Kathmandu", "Europe/London", "America/New_York", "Pacific/Auckland",
]  # fmt: skip
STATUTORY_2027 = {
    (1, 1), (2, 5), (2, 6), (2, 7), (2, 8), (4, 5), (5, 1), (5, 2), (6, 9), (9, 15), (10, 1), (10, 2), (10, 3),
}  # fmt: skip
UNITS = {**{unit: int(length / MINUTE) for unit, length in RUNNING.items()}, WORKING_HOUR: 60, WORKING_DAY: 1440}


@lru_cache(maxsize=4096)
def worked(day: date) -> bool:
    if day.year <= 2026:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5 and not (day.year == 2027 and (day.month, day.day) in STATUTORY_2027)


def counts(unit: str) -> Callable[[datetime], bool]:
    """Whether the minute that begins at a time of China's wall clock counts for a unit."""
    if unit == WORKING_DAY:
        return lambda minute: worked(minute.date())
    if unit == WORKING_HOUR:
        return lambda minute: (8 <= minute.hour < 12 or 14 <= minute.hour < 18) and worked(minute.date())
    return lambda _minute: True


def walked(received: datetime, minutes: int, unit: str) -> datetime:
    """The slow reference: minute by minute until so many have counted."""
    wall = received.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=8)
    begun, counting = wall, counts(unit)
    while minutes:
        minutes -= counting(wall)
        wall += MINUTE
    return received.astimezone(UTC) + (wall - begun)


@st.composite
def receipts(draw: st.DrawFn) -> datetime:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    minute = draw(st.integers(0, 5 * 365 * 1440))
    return (first + minute * MINUTE).astimezone(ZoneInfo(draw(st.sampled_from(ZONES))))


@st.composite
def limits(draw: st.DrawFn) -> tuple[Limit, int]:
    """A limit in quarters of its unit, at most some days long, and its minutes."""
    unit = draw(st.sampled_from(sorted(UNITS)))
    quarters = draw(st.integers(1, 60 if UNITS[unit] == 1440 else 160))
    return Limit(quarters / 4, unit), quarters * UNITS[unit] // 4


def end(received: datetime, limit: Limit) -> datetime:
    return datetime.fromisoformat(due(received, limit, CALENDAR, USUAL_HOURS).moment)


@settings(deadline=None, max_examples=300)
@given(receipts(), limits())
def test_the_end_is_that_of_a_walk_minute_by_minute_in_the_zone_of_the_receipt(
    received: datetime, limit: tuple[Limit, int]
) -> None:
    moment = due(received, limit[0], CALENDAR, USUAL_HOURS).moment
    expected = walked(received, limit[1], limit[0].unit)
    assert moment == expected.astimezone(received.tzinfo).isoformat(timespec="seconds")


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([date(year, 12, 31) for year in range(2025, 2030)] + [date(2026, 2, 13), date(2026, 9, 30)]),
    st.integers(-3 * 1440, 2 * 1440),
    limits(),
)
def test_the_end_is_that_of_the_walk_around_year_ends_and_long_holidays(
    day: date, minute: int, limit: tuple[Limit, int]
) -> None:
    received = datetime(day.year, day.month, day.day, tzinfo=CHINA) + minute * MINUTE
    assert end(received, limit[0]) == walked(received, limit[1], limit[0].unit)


@given(receipts(), limits())
def test_nothing_is_due_before_it_was_received(received: datetime, limit: tuple[Limit, int]) -> None:
    assert end(received, limit[0]) >= received + limit[1] * MINUTE


@given(receipts(), receipts(), limits())
def test_what_came_later_is_never_due_earlier(one: datetime, other: datetime, limit: tuple[Limit, int]) -> None:
    first, later = sorted([one.astimezone(UTC), other.astimezone(UTC)])
    assert end(first, limit[0]) <= end(later, limit[0])


@given(receipts(), st.integers(0, 3000), limits())
def test_a_little_later_is_never_due_earlier(received: datetime, minutes: int, limit: tuple[Limit, int]) -> None:
    assert end(received, limit[0]) <= end(received.astimezone(UTC) + minutes * MINUTE, limit[0])


@given(receipts(), st.sampled_from(sorted(UNITS)), st.integers(1, 40), st.integers(1, 40))
def test_more_time_never_ends_earlier(received: datetime, unit: str, one: int, other: int) -> None:
    less, more = sorted([one, other])
    assert end(received, Limit(less / 4, unit)) <= end(received, Limit(more / 4, unit))


@given(receipts(), st.sampled_from(ZONES), limits())
def test_the_zone_of_the_receipt_changes_how_the_end_is_written_only(
    received: datetime, zone: str, limit: tuple[Limit, int]
) -> None:
    assert end(received, limit[0]) == end(received.astimezone(ZoneInfo(zone)), limit[0])


@given(receipts(), limits(), st.integers(0, 59))
def test_seconds_are_kept(received: datetime, limit: tuple[Limit, int], seconds: int) -> None:
    late = received.astimezone(UTC) + timedelta(seconds=seconds)
    ends = end(received, limit[0]), end(late, limit[0]), end(received.astimezone(UTC) + MINUTE, limit[0])
    assert ends[0] <= ends[1] <= ends[2]
    if limit[0].unit in RUNNING:
        assert ends[1] - ends[0] == timedelta(seconds=seconds)


WARNED = "2027 年只按法定节日计"
ENDS = {
    "two hours": ("2026-11-23T09:12:03+08:00", "2 小时", "2026-11-23T11:12:03+08:00", ""),
    "urgent hours run at night": ("2026-11-20T23:30:00+08:00", "2 紧急工作时", "2026-11-21T01:30:00+08:00", ""),
    "urgent days run over holidays": ("2026-09-30T12:00:00+08:00", "2 紧急工作日", "2026-10-02T12:00:00+08:00", ""),
    "seven days": ("2026-11-23T09:12:03+08:00", "7 自然日", "2026-11-30T09:12:03+08:00", ""),
    "friday to monday": ("2026-11-20T09:12:00+08:00", "1 工作日", "2026-11-23T09:12:00+08:00", ""),
    "sunday begins on monday": ("2026-11-22T15:00:00+08:00", "1 工作日", "2026-11-24T00:00:00+08:00", ""),
    "a saturday worked": ("2026-02-13T09:12:00+08:00", "1 工作日", "2026-02-14T09:12:00+08:00", ""),
    "over the spring festival": ("2026-02-14T17:30:00+08:00", "1 工作时", "2026-02-24T08:30:00+08:00", ""),
    "over the national day": ("2026-09-30T17:00:00+08:00", "2 工作时", "2026-10-08T09:00:00+08:00", ""),
    "over noon": ("2026-11-23T11:30:00+08:00", "1 工作时", "2026-11-23T14:30:00+08:00", ""),
    "to the last minute of the day": ("2026-11-23T17:00:00+08:00", "1 工作时", "2026-11-23T18:00:00+08:00", ""),
    "before the day begins": ("2026-11-23T05:00:00+08:00", "1 工作时", "2026-11-23T09:00:00+08:00", ""),
    "half an hour": ("2026-11-23T17:45:00+08:00", "0.5 工作时", "2026-11-24T08:15:00+08:00", ""),
    "2025 to 2026": ("2025-12-31T09:12:00+08:00", "1 工作日", "2026-01-04T09:12:00+08:00", ""),
    "2026 to 2027": ("2026-12-31T17:30:00+08:00", "1 工作时", "2027-01-04T08:30:00+08:00", WARNED),
    "2026 to 2027, running": ("2026-12-31T23:30:00+08:00", "2 小时", "2027-01-01T01:30:00+08:00", ""),
    "in 2027": ("2027-02-04T09:00:00+08:00", "1 工作日", "2027-02-09T09:00:00+08:00", WARNED),
    "2027 to 2028": ("2027-12-31T17:00:00+08:00", "2 工作时", "2028-01-03T09:00:00+08:00", WARNED),
    "in 2028": ("2028-10-06T09:00:00+08:00", "1 工作日", "2028-10-09T09:00:00+08:00", "2028 年的节假日安排未载入"),
    "in 2028, running": ("2028-10-01T09:00:00+08:00", "15 自然日", "2028-10-16T09:00:00+08:00", ""),
    "fifteen working days over the year's end": (
        "2025-12-24T10:00:00+08:00", "15 工作日", "2026-01-15T10:00:00+08:00", "",
    ),
    "utc": ("2026-11-20T01:12:00+00:00", "1 工作日", "2026-11-23T01:12:00+00:00", ""),
    "a sunday in greenwich, monday in china": (
        "2026-11-22T23:00:00+00:00", "1 工作时", "2026-11-23T01:00:00+00:00", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("received", "limit", "moment", "warning"), ENDS.values(), ids=ENDS)
def test_ends_worked_out_by_hand(received: str, limit: str, moment: str, warning: str) -> None:
    found = due(datetime.fromisoformat(received), Limit.parse(limit), CALENDAR, USUAL_HOURS)
    assert found.moment == moment
    assert found.warning.startswith(warning)
    assert bool(found.warning) == bool(warning)


def test_clocks_that_change_for_summer_do_not_change_running_time() -> None:
    received = datetime(2026, 3, 29, 0, 30, tzinfo=ZoneInfo("Europe/London"))
    assert due(received, Limit(2, "小时"), CALENDAR, USUAL_HOURS).moment == "2026-03-29T03:30:00+01:00"


def test_the_hours_of_a_table_are_its_own() -> None:
    received = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)
    hours = ((USUAL_HOURS[0][0], USUAL_HOURS[0][1]),)
    assert due(received, Limit(5, WORKING_HOUR), CALENDAR, hours).moment == "2026-11-24T10:00:00+08:00"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("2 小时", Limit(2, "小时")),
        ("2小时", Limit(2, "小时")),
        (" 15 工作日 ", Limit(15, "工作日")),
        ("1.5 工作时", Limit(1.5, "工作时")),
        ("1 紧急工作时", Limit(1, "紧急工作时")),
        ("2 紧急工作日", Limit(2, "紧急工作日")),
        ("7 自然日", Limit(7, "自然日")),
    ],
)
def test_a_limit_is_read_as_it_is_written(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize(
    "text", ["", "2", "小时", "两小时", "-1 小时", "2 天", "2 hours", "1. 小时", "2 小时 3 小时", "1e3 小时"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Limit.parse(text)


@given(limits(), limits(), receipts())
def test_running_time_is_longer_if_it_ends_later(
    one: tuple[Limit, int], other: tuple[Limit, int], received: datetime
) -> None:
    running = one[0].running is not None, other[0].running is not None
    if all(running):
        assert one[0].longer(other[0]) == (end(received, one[0]) > end(received, other[0]))
    else:
        assert one[0].longer(other[0]) == (not running[0])


@pytest.fixture(scope="module")
def tables(taxonomy: Taxonomy) -> dict[str, ClockTable]:
    groups = Groups(taxonomy, {})
    return {name: ClockTable.read(RULES / f"clocks/{name}.toml", groups) for name in ("yuncheng", "jiyuan")}


def facts_of(table: ClockTable, category: str, text: str, clock: str = "general") -> Facts:
    """A matter with those words of the table's items that stand in a text."""
    words = Words(word for item in table.items for word in item.words)
    found = words.find(Reader().fields(["", text]).texts)
    return Facts(category, "street", clock, "report", frozenset(word for _, word in found.get(0, [])))


# city-codes.md, “Yuncheng limits”: the time to finish.
YUNCHENG = {
    "0101": ("私搭乱建", "15 自然日"),
    "0110": ("暴露生活垃圾", "4 小时"),
    "0301": ("施工扰民", "2 紧急工作时"),
    "0401": ("无照经营游商", "2 紧急工作时"),
    "0405": ("店外经营", "2 紧急工作时"),
    "0406": ("占道经营", "2 紧急工作时"),
    "0496": ("占用消防通道", "2 小时"),
    "0501": ("供水管道破裂", "1 紧急工作时"),
    "0502": ("燃气管道破裂", "1 紧急工作时"),
    "0504": ("热力管道破裂", "1 紧急工作时"),
    "0505": ("路面塌陷", "2 紧急工作时"),
}


@pytest.mark.parametrize("code", YUNCHENG)
def test_the_limits_of_yuncheng_are_those_of_the_reference(
    tables: dict[str, ClockTable], taxonomy: Taxonomy, code: str
) -> None:
    crosswalk = Crosswalk.read(RULES / "crosswalks/yuncheng.csv", taxonomy)
    name, written = YUNCHENG[code]
    found = tables["yuncheng"].limit(facts_of(tables["yuncheng"], crosswalk.category(code), name))
    assert found is not None
    assert str(found[0]) == written
    assert code in found[1]


def test_what_is_under_way_in_yuncheng_is_told_with_the_item(tables: dict[str, ClockTable]) -> None:
    found = tables["yuncheng"].limit(facts_of(tables["yuncheng"], "illegal_construction", "私搭乱建"))
    assert found is not None
    assert "2 紧急工作日" in found[1]


@pytest.mark.parametrize(
    ("category", "text", "limit"),
    [
        ("illegal_construction", "违法搭建", "15 工作日"),
        ("sanitation", "暴露垃圾", "1 工作日"),
        ("sanitation", "道路不洁", "7 自然日"),
        ("noise", "广场舞", "7 自然日"),
    ],
)
def test_the_limits_of_jiyuan_are_those_of_the_reference(
    tables: dict[str, ClockTable], category: str, text: str, limit: str
) -> None:
    found = tables["jiyuan"].limit(facts_of(tables["jiyuan"], category, text))
    assert found is not None
    assert str(found[0]) == limit


@pytest.mark.parametrize("name", ["yuncheng", "jiyuan"])
def test_the_general_clocks_of_a_table_are_the_national_ones(
    tables: dict[str, ClockTable], taxonomy: Taxonomy, name: str
) -> None:
    for label in taxonomy.clocks:
        limit = Limit.parse(tables[name].limits[label.code])
        assert limit.running == timedelta(hours=label.hours)


def test_the_first_item_that_holds_gives_the_limit(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TABLE, encoding="utf-8")
    table = ClockTable.read(path, Groups(taxonomy, {}))

    def told(category: str, clock: str) -> str:
        found = table.limit(Facts(category, "street", clock, "report"))
        return f"{found[0]} {found[1]}" if found else "none"

    assert told("noise", "urgent") == "1 小时 甲"
    assert told("noise", "general") == "3 工作时 乙"
    assert told("leak", "general") == "4 工作日 "
    assert told("leak", "complex") == "none"


TABLE = """\
name = "mine"
title = "本市"
source = "自编"

[limits]
general = "4 工作日"

[[items]]
name = "甲"
category = ["noise"]
clock = ["urgent"]
limit = "1 小时"

[[items]]
name = "乙"
category = ["noise"]
limit = "3 工作时"
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('"4 工作日"', '"4 周"', 6, "“4 周”不是期限"),
        ('"4 工作日"', "4", 6, "limits.general：须是文字"),
        ('"1 小时"', '"一小时"', 12, "“一小时”不是期限"),
        ('"3 工作时"', '"3"', 17, "“3”不是期限"),
        ('limit = "3 工作时"', "", 14, "items.2.limit：缺少字段"),
        ('clock = ["urgent"]', 'clocks = ["urgent"]', 11, "items.1.clocks：没有这个字段"),
        (
            'title = "本市"',
            'title = "本市"\nhours = [["12:00", "08:00"]]',
            3,
            "工作时间至少一段",
        ),
        (
            'title = "本市"',
            'title = "本市"\nhours = [["08:00", "08:00"]]',
            3,
            "工作时间至少一段",
        ),
        ('source = "自编"', "", 1, "source：缺少字段"),
    ],
)
def test_a_broken_table_is_refused_by_its_line(
    tmp_path: Path, taxonomy: Taxonomy, old: str, new: str, line: int, reason: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TABLE.replace(old, new), encoding="utf-8")
    with pytest.raises(RefusedData) as caught:
        ClockTable.read(path, Groups(taxonomy, {}))
    assert str(caught.value).startswith(f"规则文件 {path} 第 {line} 行 不能使用：{reason}")


@pytest.fixture(scope="module", params=["", "yuncheng", "jiyuan", "slow"])
def router(request: pytest.FixtureRequest, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Router:
    """The rules with a plain profile that has a clock table of a city, one of which is very slow."""
    office = tmp_path_factory.mktemp("office")
    (office / "profiles").mkdir()
    (office / "clocks").mkdir()
    plain = (RULES / "profiles/plain.toml").read_text(encoding="utf-8")
    (office / "profiles/plain.toml").write_text(f'clocks = "{request.param}"\n{plain}', encoding="utf-8")
    slow = TABLE.replace("mine", "slow").replace("general =", 'emergency = "9 小时"\ngeneral =')
    slow += '[[items]]\nclock = ["emergency"]\ncategory = ["leak"]\nlimit = "1 工作时"\n'
    (office / "clocks/slow.toml").write_text(slow, encoding="utf-8")
    return Router(Rulebase.read(taxonomy, office))


def test_an_emergency_never_gets_longer_than_its_clock(router: Router, taxonomy: Taxonomy) -> None:
    received = datetime(2026, 11, 20, 17, 50, tzinfo=CHINA)
    plain = router.rules.profile("plain")
    for category in taxonomy.codes("category"):
        for tier in taxonomy.codes("tier"):
            for redline in ("", "gas"):
                facts = Facts(category, tier, "emergency", "report", redline=redline)
                plan, route = router.routed(plain, facts, received)
                assert plan.facts.clock == "emergency"
                assert datetime.fromisoformat(route.due) <= received + timedelta(hours=2)


@pytest.mark.parametrize("router", ["yuncheng", "jiyuan"], indirect=True)
def test_a_route_is_due_by_the_clock_table_of_its_profile(router: Router) -> None:
    received = datetime(2026, 11, 20, 17, 50, tzinfo=CHINA)
    plain = router.rules.profile("plain")
    ends = {"yuncheng": "2026-12-05T17:50:00+08:00", "jiyuan": "2026-12-11T17:50:00+08:00"}
    route = router.route("plain", Facts("illegal_construction", "street", "general", "report"), received)
    assert route.due == ends[plain.clocks]


def test_without_a_table_the_clocks_of_the_taxonomy_hold(taxonomy: Taxonomy) -> None:
    router = Router(Rulebase.read(taxonomy))
    received = datetime(2026, 11, 20, 17, 50, tzinfo=CHINA)
    for clock in taxonomy.clocks:
        route = router.route("plain", Facts("noise", "street", clock.code, "report"), received)
        assert datetime.fromisoformat(route.due) == received + timedelta(hours=clock.hours)


@pytest.mark.parametrize("limit", ["0 小时", "99999999 工作日", "9999999999 小时", "-1 小时"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        Limit.parse(limit)
