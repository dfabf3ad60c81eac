"""Working days of China: those of 2026 as announced, those of 2027 by law, and plain weekdays after that."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from chinese_calendar import constants
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import RefusedData
from nlp.files import RULES
from nlp.route.calendar import FIRST, LAST, Calendar

DAY = timedelta(days=1)
SHIPPED = Calendar.read(RULES / "holidays.toml")
BARE = Calendar({})


def days(year: int) -> list[date]:
    return [day for number in range(366) if (day := date(year, 1, 1) + number * DAY).year == year]


def span(first: date, last: date) -> set[date]:
    return {first + number * DAY for number in range((last - first).days + 1)}


# The notice of the General Office of the State Council for 2026.
HOLIDAYS_2026 = (
    span(date(2026, 1, 1), date(2026, 1, 3))
    | span(date(2026, 2, 15), date(2026, 2, 23))
    | span(date(2026, 4, 4), date(2026, 4, 6))
    | span(date(2026, 5, 1), date(2026, 5, 5))
    | span(date(2026, 6, 19), date(2026, 6, 21))
    | span(date(2026, 9, 25), date(2026, 9, 27))
    | span(date(2026, 10, 1), date(2026, 10, 7))
)
WORKED_2026 = {
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
}
# 全国年节及纪念日放假办法, as amended for 2025: thirteen days.
STATUTORY_2027 = (
    {date(2027, 1, 1), date(2027, 4, 5), date(2027, 6, 9), date(2027, 9, 15)}
    | span(date(2027, 2, 5), date(2027, 2, 8))
    | span(date(2027, 5, 1), date(2027, 5, 2))
    | span(date(2027, 10, 1), date(2027, 10, 3))
)


def test_the_years_of_the_library_are_those_it_holds() -> None:
    assert (min(constants.holidays).year, max(constants.holidays).year) == (FIRST, LAST)


@pytest.mark.parametrize("day", days(2026), ids=str)
def test_2026_is_worked_as_announced(day: date) -> None:
    worked = day in WORKED_2026 or (day.weekday() < 5 and day not in HOLIDAYS_2026)
    assert SHIPPED.is_workday(day) == worked


def test_2025_is_the_librarys() -> None:
    assert {day for day in days(2025) if SHIPPED.is_workday(day)} == set(
        filter(chinese_calendar.is_workday, days(2025))
    )
    assert SHIPPED.is_workday(date(2025, 1, 26))  # a Sunday worked before the Spring Festival
    assert not SHIPPED.is_workday(date(2025, 10, 8))


def test_2027_has_its_thirteen_statutory_days_and_plain_weekends() -> None:
    assert len(STATUTORY_2027) == 13
    idle = {day for day in days(2027) if not SHIPPED.is_workday(day)}
    assert idle == STATUTORY_2027 | {day for day in days(2027) if day.weekday() > 4}


@given(st.dates(date(2028, 1, 1), date(2060, 12, 31)))
def test_years_that_nobody_holds_are_plain_weekdays(day: date) -> None:
    assert SHIPPED.is_workday(day) == (day.weekday() < 5)


def test_2027_without_a_file_is_plain_weekdays() -> None:
    assert BARE.is_workday(date(2027, 1, 1))
    assert not SHIPPED.is_workday(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("first", "last", "year"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), ""),
        (date(2025, 6, 1), date(2026, 6, 1), ""),
        (date(2026, 12, 31), date(2027, 1, 4), "2027 年只按法定节日计"),
        (date(2027, 5, 1), date(2027, 5, 1), "2027 年只按法定节日计"),
        (date(2027, 12, 31), date(2028, 1, 4), "2027 年"),
        (date(2028, 1, 1), date(2028, 1, 4), "2028 年的节假日安排未载入，按周一至周五计"),
        (date(2026, 1, 1), date(2028, 1, 4), "2027 年"),
        (date(2029, 12, 31), date(2030, 1, 4), "2029 年的节假日安排未载入"),
    ],
)
def test_what_is_not_certain_is_told(first: date, last: date, year: str) -> None:
    warning = SHIPPED.warning(first, last)
    assert warning.startswith(year)
    assert bool(warning) == bool(year)


def test_a_year_before_the_library_is_not_certain_either() -> None:
    assert BARE.warning(date(2003, 1, 1), date(2003, 1, 2)).startswith("2003 年")
    assert BARE.warning(date(2027, 1, 1), date(2027, 1, 2)).startswith("2027 年的节假日安排未载入")


def written(folder: Path, text: str) -> Path:
    path = folder / "holidays.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_notice_in_the_file_goes_before_the_library_and_is_certain(tmp_path: Path) -> None:
    calendar = Calendar.read(
        written(
            tmp_path,
            '[[years]]\nyear = 2026\nsource = "更正"\nholidays = [2026-03-04]\nworkdays = [2026-03-07]\n'
            '[[years]]\nyear = 2028\nsource = "通知"\nholidays = [2028-01-03]\nworkdays = [2028-01-08]\n',
        )
    )
    assert [calendar.is_workday(date(2026, 3, day)) for day in (3, 4, 6, 7, 8)] == [True, False, True, True, False]
    assert calendar.is_workday(date(2026, 10, 1))  # the year is the file's as a whole
    assert [calendar.is_workday(date(2028, 1, day)) for day in (3, 4, 8)] == [False, True, True]
    assert calendar.warning(date(2028, 1, 1), date(2028, 12, 31)) == ""
    assert calendar.warning(date(2027, 1, 1), date(2027, 1, 2)).startswith("2027 年的节假日安排未载入")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('[[years]]\nyear = "next"\nsource = "x"\nholidays = []\n', 2, "years.1.year：须是整数"),
        ('[[years]]\nsource = "x"\nholidays = []\n', 1, "years.1.year：缺少字段"),
        ('\n[[years]]\nyear = 2028\nsource = "x"\n', 2, "years.1.holidays：缺少字段"),
        ('[[years]]\nyear = 2028\nsource = "x"\nholidays = ["新年"]\n', 4, "years.1.holidays.1：须是日期"),
        ('[[years]]\nyear = 2028\nsource = "x"\nholidays = []\ndays = 3\n', 5, "years.1.days：没有这个字段"),
    ],
)
def test_a_broken_file_is_refused_by_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(RefusedData) as caught:
        Calendar.read(path)
    assert str(caught.value).startswith(f"规则文件 {path} 第 {line} 行 不能使用：{reason}")


def test_a_date_that_is_none_is_a_syntax_error_of_its_line(tmp_path: Path) -> None:
    with pytest.raises(RefusedData, match=r"holidays\.toml.*line 4,"):
        Calendar.read(written(tmp_path, '[[years]]\nyear = 2028\nsource = "x"\nholidays = [2028-02-30]\n'))
