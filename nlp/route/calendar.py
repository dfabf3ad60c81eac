"""Calendar: working days of China, from chinesecalendar, from a file for the years it does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

import chinese_calendar

from nlp.checked import STRICT, read_checked

FIRST, LAST = 2004, 2026  # years that chinesecalendar 1.11 holds
SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Year:
    """The holidays of a year, and the weekend days worked in their place (调休); source: the notice or law."""

    __pydantic_config__ = STRICT

    year: int
    source: str
    holidays: tuple[date, ...]
    workdays: tuple[date, ...] = ()
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class _File:
    __pydantic_config__ = STRICT

    years: tuple[Year, ...] = field(default=())


class Calendar:
    """Tells working days; years of the file go before those of the library."""

    def __init__(self, years: Mapping[int, Year]) -> None:
        self._years = years
        self.is_workday = lru_cache(maxsize=4096)(self._is_workday)

    @classmethod
    def read(cls, path: Path) -> Calendar:
        """Read the years of a file; raises `RefusedData`."""
        return cls({year.year: year for year in read_checked(path, _File).years})

    def _is_workday(self, day: date) -> bool:
        """Whether a day is worked."""
        year = self._years.get(day.year)
        if year:
            return day in year.workdays or (day.weekday() < SATURDAY and day not in year.holidays)
        if FIRST <= day.year <= LAST:
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < SATURDAY

    def warning(self, first: date, last: date) -> str:
        """What is not certain about the working days between two dates, or an empty string."""
        for number in range(first.year, last.year + 1):
            year = self._years.get(number)
            if year and year.warning:
                return year.warning
            if not year and not FIRST <= number <= LAST:
                return f"{number} 年的节假日安排未载入，按周一至周五计"
        return ""
