"""What a chief asks for: from which day to which, in which steps, of which decisions; and how an address says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from unicodedata import category
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from nlp.errors import InputError
from serving.indicators import Window
from serving.store import tables
from serving.times import millis

DAY = 86_400_000  # milliseconds
LONGEST = 1100  # days: three years
MOST = 124  # steps that a chart can still show
NOWHERE = "-"  # the area of what names no place that the gazetteer knows
STEPS = {"day": "按日", "week": "按周", "month": "按月"}
COMPARED = {"before": "与前一段相比", "year": "与去年同期相比"}
PRESETS = {"today": "今天", "week": "近 7 天", "month": "近 30 天", "this": "本月", "year": "近一年"}
BACK = {"today": 0, "week": 6, "month": 29, "year": 364}
FILTERS = ("category", "tier", "area", "unit", "channel")
ADDRESSED = ("since", "until", "step", "compare", *FILTERS)


class BadWindow(InputError):
    """不能这样看：{reason}"""


@dataclass(frozen=True)
class Step:
    """One step of a chart: its days, the last one included, and how its axis names it."""

    since: date
    until: date
    name: str


@dataclass(frozen=True)
class Asked:
    """A window of whole days, `until` included, and the decisions that are meant; empty: all."""

    since: date
    until: date
    zone: ZoneInfo
    step: str = "day"
    compare: str = "before"
    category: str = ""
    tier: str = ""
    area: str = ""
    unit: str = ""
    channel: str = ""

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.until - self.since).days + 1

    @property
    def window(self) -> Window:
        """The same in milliseconds."""
        return Window(self._millis(self.since), self._millis(self.until + timedelta(days=1)))

    @property
    def before(self) -> Asked:
        """What it is compared with: as many days before, or the same days a year ago."""
        if self.compare == "year":
            return replace(self, since=_year_ago(self.since), until=_year_ago(self.until))
        back = timedelta(days=self.days)
        return replace(self, since=self.since - back, until=self.until - back)

    @property
    def only(self) -> list[ColumnElement[bool]]:
        """The decisions that are meant, whenever they were made."""
        columns = tables.decisions.c
        wanted = [columns[name] == value for name in FILTERS if (value := getattr(self, name)) and value != NOWHERE]
        return [*wanted, columns.area.is_(None)] if self.area == NOWHERE else wanted

    @property
    def offset(self) -> int:
        """Milliseconds to be added to a time so that days end at whole multiples of one.

        One for the whole window: where clocks are changed, the days beyond are an hour off; in China they are not.
        """
        begin = datetime.combine(self.since, time(), self.zone).utcoffset() or timedelta()
        return begin // timedelta(milliseconds=1)

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the window; the first and the last week or month may be cut short."""
        found, day = [], self.since
        while day <= self.until:
            last = min(_last(day, self.step), self.until)
            found.append(Step(day, last, f"{day:%Y-%m}" if self.step == "month" else f"{day:%m-%d}"))
            day = last + timedelta(days=1)
        return found

    def places(self) -> dict[int, int]:
        """Day, as whole days since 1970 in local time, → the number of its step."""
        first = date(1970, 1, 1)
        return {
            (step.since - first).days + day: number
            for number, step in enumerate(self.steps)
            for day in range((step.until - step.since).days + 1)
        }

    def query(self, **other: Any) -> str:
        """An address's query for the same, or with something else; what is empty is left out."""
        return written({name: getattr(self, name) for name in ADDRESSED} | other)

    def _millis(self, day: date) -> int:
        return millis(datetime.combine(day, time(), self.zone))


def written(values: Mapping[str, Any]) -> str:
    """A query of these values; what is empty is left out."""
    return urlencode({name: str(value) for name, value in values.items() if value not in {"", None}})


def read(given: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Asked:
    """What an address asks for; thirty days where it does not say. Raises `BadWindow`."""
    since, until = _days(given, now.date())
    if since > until:
        raise BadWindow(reason=f"开始 {since} 晚于结束 {until}")
    if (until - since).days >= LONGEST:
        raise BadWindow(reason=f"一次最多看 {LONGEST} 天")
    step = _one_of(given, "step", STEPS, "") or _fitting((until - since).days + 1)
    compare = _one_of(given, "compare", COMPARED, "before")
    asked = Asked(since, until, zone, step, compare, **{name: plain(given, name) for name in FILTERS})
    if len(asked.steps) > MOST:
        raise BadWindow(reason=f"{asked.days} 天{STEPS[step]}有 {len(asked.steps)} 格，画不下；请换大一点的步长")
    return asked


def plain(given: Mapping[str, str], name: str) -> str:
    """What is filtered by; raises `BadWindow` for signs that cannot be seen: PostgreSQL refuses NUL in any text."""
    value = given.get(name, "").strip()
    if any(category(sign) == "Cc" for sign in value):
        raise BadWindow(reason=f"{name} 里有看不见的控制字符")
    return value


def _days(given: Mapping[str, str], today: date) -> tuple[date, date]:
    preset = _one_of(given, "preset", PRESETS, "")
    if preset == "this":
        return today.replace(day=1), today
    if preset:
        return today - timedelta(days=BACK[preset]), today
    until = _day(given, "until", today)
    return _day(given, "since", until - timedelta(days=BACK["month"])), until


def _day(given: Mapping[str, str], name: str, usual: date) -> date:
    written = given.get(name, "").strip()
    if not written:
        return usual
    try:
        day = date.fromisoformat(written)
    except ValueError as error:
        raise BadWindow(reason=f"{name} 须是日期，如 2026-11-23") from error
    if not 2000 <= day.year < 2200:
        raise BadWindow(reason=f"{name} 的年份须在 2000–2199 之间")
    return day


def _one_of(given: Mapping[str, str], name: str, allowed: Mapping[str, str], usual: str) -> str:
    value = given.get(name, "").strip() or usual
    if value and value not in allowed:
        raise BadWindow(reason=f"{name} 只能是 {'、'.join(allowed)}")
    return value


def _fitting(days: int) -> str:
    """The step at which a chart of so many days can be read."""
    return next((step for step, most in (("day", 62), ("week", 400)) if days <= most), "month")


def _last(day: date, step: str) -> date:
    if step == "day":
        return day
    if step == "week":
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _year_ago(day: date) -> date:
    """The same day a year ago; 28 February for 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def presets(asked: Asked) -> Iterator[tuple[str, str]]:
    """The name of each preset, and the query that asks for it, what is filtered by kept."""
    for code, name in PRESETS.items():
        yield name, asked.query(preset=code, since="", until="", step="")
