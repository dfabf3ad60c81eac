"""The board: figures as pictures and tables in words, each number with the address of its tickets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from nlp.taxonomy import Taxonomy
from serving.desk.overview.charts import HEIGHT, KINDS, WIDE, WIDTH, Chart, lines, shares, stacked
from serving.desk.overview.counts import Series
from serving.desk.overview.figures import Became, Figures
from serving.desk.overview.window import FILTERS, NOWHERE, Asked, written
from serving.indicators import VERDICTS

TICKETS = "/overview/tickets?"
SMALL = (240.0, 92.0)  # of one of many pictures beside each other
SHOWN = 12  # categories, areas
SAID = {"accepted": "认可", "corrected": "更正", "returned": "退单"}
FORMULAS = {
    "response": "派单后在规定时间内有回应的 ÷ 这段时间里该回应的",
    "disposal": "已经办结的 ÷ 这段时间里到期的",
    "timeliness": "按期办结的 ÷ 这段时间里办结的，加上到期未办结的",
    "closure": "已经结案且没有重新打开的 ÷ 这段时间里到期的",
    "resolution": "诉求人说已解决的 ÷ 这段时间里诉求人答了是否解决的",
    "satisfaction": "诉求人说满意的 ÷ 这段时间里诉求人答了是否满意的",
}
DRIFTS = {"category": "类别分布", "confidence": "把握"}
Say = Callable[[str], str]


@dataclass(frozen=True)
class Tile:
    """One large number. change: against the window before; more: what it is made of; help: how it is counted.

    href: its tickets; wrong: those of them that went wrong.
    """

    name: str
    value: str
    change: str
    href: str
    more: str = ""
    wrong: str = ""
    help: str = ""


@dataclass(frozen=True)
class Small:
    """One of many small pictures: its name, number and change."""

    name: str
    total: int
    change: str
    href: str
    chart: Chart


@dataclass(frozen=True)
class Bar:
    """A horizontal bar; length in percent of the longest."""

    name: str
    count: int
    length: float
    href: str


class Board:
    """What the page shows of a window. say: Chinese → the page's language; limit: of drift.

    figures: none where only names and addresses are asked for.
    """

    def __init__(self, figures: Figures | None, asked: Asked, taxonomy: Taxonomy, say: Say, limit: float) -> None:
        self._figures = figures
        self.asked = asked
        self.limit = limit
        self.say = say
        self._names = {task: {one.code: one.name for one in taxonomy.labels(task)} for task in ("category", "tier")}
        self.steps = [step.name for step in asked.steps]

    @property
    def figures(self) -> Figures:
        """What it is made of."""
        assert self._figures is not None  # noqa: S101 - whoever asks for numbers gave some
        return self._figures

    def name(self, task: str, code: str) -> str:
        """How people call a code."""
        if code == NOWHERE and task == "area":
            return self.say("地点未知")
        return self._names.get(task, {}).get(code, code)

    def to(self, step: int | None = None, /, **more: Any) -> str:
        """The address of tickets: those of the window, or of one of its steps."""
        if step is None:
            return TICKETS + self.asked.query(**more)
        return TICKETS + "&".join(filter(None, (self._within[step], written(self._filters | more))))

    @cached_property
    def _within(self) -> list[str]:
        """How the address of tickets names each step: there are thousands of such addresses on a page."""
        return [written({"since": step.since, "until": step.until}) for step in self.asked.steps]

    @cached_property
    def _filters(self) -> dict[str, str]:
        return {name: value for name in FILTERS if (value := getattr(self.asked, name))}

    @cached_property
    def tiles(self) -> list[Tile]:
        """The large numbers, but the rates of what became of tickets."""
        counts, said = self.figures.counts, self.figures.said
        total, human, red = counts.before
        share = counts.human / counts.total if counts.total else None
        share_before = human / total if total else None
        tiles = [
            Tile(self.say("诉求"), f"{counts.total:,}", _grown(counts.total, total), self.to()),
            Tile(
                self.say("需要人工"), _percent(share), _moved(share, share_before), self.to(human=1),
                f"{counts.human:,} / {counts.total:,}",
            ),
            Tile(self.say("红线"), f"{counts.red_total:,}", _grown(counts.red_total, red), self.to(red=1)),
        ]  # fmt: skip
        for verdict in VERDICTS:
            rate = said.rate(verdict)
            tiles.append(Tile(
                self.say(SAID[verdict] + "率"), _percent(rate), _moved(rate, said.rate_before(verdict)),
                self.to(verdict=verdict), f"{said.count(verdict):,} / {said.total:,}",
            ))  # fmt: skip
        return tiles

    def rates(self, became: Became) -> list[Tile]:
        """The rates of what became of tickets, with those that count, and those that count as wrong."""
        return [
            Tile(
                self.say(one.name), _percent(one.rate), _moved(one.rate, became.before.get(one.code)),
                self.to(rate=one.code), f"{one.numerator:,} / {one.denominator:,}",
                self.to(rate=one.code, held=0), self.say(FORMULAS[one.code]),
            )
            for one in became.rates
        ]  # fmt: skip

    @cached_property
    def tiers(self) -> Chart:
        """The volume over time, by tier."""
        series = self.figures.counts.tier
        names = [self.name("tier", one.code) for one in series]

        def link(one: int, step: int) -> str:
            return self.to(step, tier=series[one].code)

        return stacked(names, [one.counts for one in series], self.steps, link, WIDE)

    @property
    def legend(self) -> list[tuple[str, int, str]]:
        """The name, number and address of each tier, in the order of its pattern."""
        tiers = self.figures.counts.tier
        return [(self.name("tier", one.code), one.total, self.to(tier=one.code)) for one in tiers]

    @cached_property
    def categories(self) -> list[Small]:
        """The largest categories over time."""
        return self._small("category", self.figures.counts.category)

    @cached_property
    def areas(self) -> list[Small]:
        """The largest areas over time; what is nowhere known comes last."""
        return self._small("area", self.areas_known_first)

    @property
    def areas_known_first(self) -> list[Series]:
        """The areas, the larger first; what is nowhere known comes last."""
        return sorted(self.figures.counts.area, key=lambda one: one.code == NOWHERE)

    @property
    def placed(self) -> bool:
        """Whether any decision lies in an area that is known."""
        return any(one.code != NOWHERE for one in self.figures.counts.area)

    def _small(self, task: str, series: Sequence[Series]) -> list[Small]:
        shown = series[:SHOWN]
        return [
            Small(
                self.name(task, one.code), one.total, _grown(one.total, one.before), self.to(**{task: one.code}),
                stacked([""], [one.counts], self.steps, lambda _, step, code=one.code: self.to(step, **{task: code}),  # type: ignore[misc]
                        SMALL),
            )
            for one in shown
        ]  # fmt: skip

    @cached_property
    def units(self) -> list[Bar]:
        """Who has how many to settle."""
        found = self.figures.counts.units
        named = [pair for pair in found if pair[0]]
        bars = [
            Bar(name, count, length, self.to(unit=name))
            for (name, count), length in zip(named, shares([count for _, count in named]), strict=True)
        ]
        return bars + [Bar(self.say("其余单位"), count, 0, self.to()) for name, count in found if not name]

    @cached_property
    def verdicts(self) -> Chart:
        """The shares of acceptance, correction and return over time."""

        def link(one: int, step: int) -> str:
            return self.to(step, verdict=VERDICTS[one])

        names = [self.say(SAID[verdict] + "率") for verdict in VERDICTS]
        return lines(names, [self.figures.said.rates(verdict) for verdict in VERDICTS], self.steps, link, _whole)

    @property
    def corrections(self) -> list[tuple[str, str, int, str]]:
        """From, to, how often, and the address."""
        return [
            (self.name("category", old), self.name("category", new), count,
             self.to(category=old, verdict="corrected", instead=new))
            for old, new, count in self.figures.said.corrections
        ]  # fmt: skip

    @cached_property
    def _red(self) -> list[Series]:
        """The most frequent kinds of red lines, as many as there are patterns; the rest together, without a name."""
        series = self.figures.counts.red
        if len(series) <= KINDS:
            return series
        rest = [sum(column) for column in zip(*(one.counts for one in series[KINDS - 1 :]), strict=True)]
        return [*series[: KINDS - 1], Series("", rest)]

    @cached_property
    def red(self) -> Chart:
        """Red lines over time, by kind."""
        series = self._red

        def link(one: int, step: int) -> str:
            return self.to(step, red=series[one].code or 1)

        names = [one.code or self.say("其余") for one in series]
        return stacked(names, [one.counts for one in series], self.steps, link, (WIDTH, HEIGHT))

    @property
    def red_legend(self) -> list[tuple[str, int, str]]:
        """The name, number and address of each kind of red line."""
        return [(one.code or self.say("其余"), one.total, self.to(red=one.code or 1)) for one in self._red]

    @cached_property
    def drift(self) -> Chart:
        """How far each week's petitions are from what the model learned."""
        weeks = self.figures.weeks
        values = [[week[code] for week in weeks] for code in DRIFTS]
        names = [self.say(name) for name in DRIFTS.values()]
        steps = [week["week"].partition("-")[2] for week in weeks]

        def link(_: int, step: int) -> str:
            return week(weeks[step]["week"])

        return lines(names, values, steps, link, _two, size=WIDE, limit=self.limit)


def week(name: str) -> str:
    """The tickets of an ISO week, all of them: drift knows no filter."""
    year, _, week = name.partition("-W")
    since, until = (date.fromisocalendar(int(year), int(week), day) for day in (1, 7))
    return f"{TICKETS}since={since}&until={until}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _whole(value: float) -> str:
    return f"{value:.0%}"


def _two(value: float) -> str:
    return f"{value:.2f}"


def _grown(now: int, before: int) -> str:
    """The change of a number, in percent of what it was."""
    if not before:
        return ""
    change = now / before - 1
    return f"{_arrow(change)} {abs(change):.0%}"


def _moved(now: float | None, before: float | None) -> str:
    """The change of a share, in points."""
    if now is None or before is None:
        return ""
    return f"{_arrow(now - before)} {abs(100 * (now - before)):.1f}"


def _arrow(change: float) -> str:
    return "▲" if change > 0.0005 else "▼" if change < -0.0005 else "＝"
