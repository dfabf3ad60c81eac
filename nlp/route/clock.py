"""Clock: how long a matter may take, in running or working time, and when that ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from nlp.checked import STRICT, place_of, read_checked
from nlp.errors import RefusedData
from nlp.route.calendar import Calendar
from nlp.route.facts import Facts, When
from nlp.route.groups import Groups

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RUNNING = {"小时": HOUR, "紧急工作时": HOUR, "自然日": DAY, "紧急工作日": DAY}
"""Units that run day and night; 紧急工作时 does by the city-management tables (GB/T 30428.2)."""
WORKING_HOUR, WORKING_DAY = "工作时", "工作日"
LIMIT = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join((*RUNNING, WORKING_HOUR, WORKING_DAY))})")
LONGEST = 10_000  # of any unit: more is a slip of the pen
CHINA = timedelta(hours=8)  # working hours are those of China's one zone
MIDNIGHT = time(0)
Hours = tuple[tuple[time, time], ...]
USUAL_HOURS: Hours = ((time(8), time(12)), (time(14), time(18)))


class Limit(NamedTuple):
    """An amount of time in a unit of `RUNNING`, in working hours or in working days."""

    amount: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Limit:
        """A limit as it is written, like `15 工作日`; raises ValueError."""
        match = LIMIT.fullmatch(text.strip())
        if match is None or not 0 < float(match[1]) <= LONGEST:
            raise ValueError(text)
        return cls(float(match[1]), match[2])

    @classmethod
    def is_one(cls, text: str) -> bool:
        """Whether a text is a limit."""
        try:
            return bool(cls.parse(text))
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"

    @property
    def running(self) -> timedelta | None:
        """The running time, or None where only working time counts."""
        unit = RUNNING.get(self.unit)
        return None if unit is None else self.amount * unit

    def longer(self, other: Limit) -> bool:
        """Whether this running time is longer than another; working time always is, for it stops at night."""
        mine, theirs = self.running, other.running
        return mine is None or (theirs is not None and mine > theirs)


class Due(NamedTuple):
    """The end of a clock, ISO 8601 with its zone, and what is not certain about it."""

    moment: str
    warning: str


@dataclass(frozen=True, kw_only=True)
class Item(When):
    """A limit of its own for some matters."""

    limit: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ClockTable:
    """The clocks of a place: a limit for each code of the taxonomy's clocks, finer ones before them."""

    __pydantic_config__ = STRICT

    name: str
    title: str
    source: str
    limits: Mapping[str, str]
    items: tuple[Item, ...] = ()
    hours: tuple[tuple[time, time], ...] = USUAL_HOURS

    @classmethod
    def read(cls, path: Path, groups: Groups, *, strict: bool = False) -> ClockTable:
        """Read and check a table; raises `RefusedData` with file, line and reason.

        strict: codes that the taxonomy does not hold are refused, not passed over.
        """
        table = read_checked(path, cls)
        written = {("limits", code): limit for code, limit in table.limits.items()}
        written |= {("items", number, "limit"): item.limit for number, item in enumerate(table.items)}  # type: ignore[misc]
        for location, limit in written.items():
            if not Limit.is_one(limit):
                raise RefusedData(file=place_of(path, location), reason=f"“{limit}”不是期限，如 2 小时、15 工作日")
        groups.check_words(path, "items", table.items)
        if strict:
            groups.check(path, "items", table.items)
            for code in table.limits:
                groups.check_codes(path, ("limits", code), "clock", [code])
        bounds = [bound.replace(tzinfo=None) for stretch in table.hours for bound in stretch]
        zoned = any(bound.tzinfo for stretch in table.hours for bound in stretch)
        if zoned or not bounds or any(later <= earlier for earlier, later in pairwise(bounds)):
            raise RefusedData(
                file=place_of(path, ("hours",)), reason="工作时间至少一段，各段先后为序、不重叠、不带时区"
            )
        return replace(table, items=tuple(map(groups.spread, table.items)))

    def limit(self, facts: Facts) -> tuple[Limit, str] | None:
        """The limit of a matter and the item that gave it, or None where the table is silent."""
        item = next((item for item in self.items if item.holds(facts)), None)
        if item:
            return Limit.parse(item.limit), item.name
        written = self.limits.get(facts.clock)
        return (Limit.parse(written), "") if written else None


def running_end(received: datetime, running: timedelta) -> datetime:
    """The end of running time, in the zone of `received`; clocks that change for summer do not change it."""
    return (received.astimezone(UTC) + running).astimezone(received.tzinfo)


def due(received: datetime, limit: Limit, calendar: Calendar, hours: Hours) -> Due:
    """When a limit ends that began at `received`, a time with a zone."""
    running = limit.running
    if running is not None:
        return Due(running_end(received, running).isoformat(timespec="seconds"), "")
    end = working_end(received, limit, calendar, hours)
    warning = calendar.warning(in_china(received).date(), in_china(end).date())
    return Due(end.isoformat(timespec="seconds"), warning)


def in_china(moment: datetime) -> datetime:
    """The wall clock of China at a moment, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) + CHINA


def working_end(received: datetime, limit: Limit, calendar: Calendar, hours: Hours) -> datetime:
    """When so much working time has passed.

    A working hour passes within `hours` of a working day. A working day is the 24 hours of a day that is
    worked: what comes in at 9:12 on a Friday is due at 9:12 on Monday, what comes in on a Sunday begins on Monday.
    """
    left = limit.amount * (DAY if limit.unit == WORKING_DAY else HOUR)
    begun = in_china(received)
    for start, end in _stretches(begun.date(), None if limit.unit == WORKING_DAY else hours, calendar):
        begin = max(start, begun)
        if begin < end and left <= end - begin:
            return _from_china(begin + left, received.tzinfo)
        left -= max(end - begin, timedelta(0))
    raise ValueError(limit)  # unreachable: there is always another working day


def _from_china(wall: datetime, zone: tzinfo | None) -> datetime:
    return (wall - CHINA).replace(tzinfo=UTC).astimezone(zone)


def _stretches(day: date, hours: Hours | None, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of working time from a day on."""
    while True:
        if calendar.is_workday(day):
            midnight = datetime.combine(day, MIDNIGHT)
            if hours is None:
                yield midnight, midnight + DAY
            else:
                for begin, end in hours:
                    yield datetime.combine(day, begin), datetime.combine(day, end)
        day += DAY
