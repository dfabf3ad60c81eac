"""Numbers: what the pictures of a board show, as tables for the page and for a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from serving.desk.overview.board import SAID, SHOWN, Board, Tile, week
from serving.desk.overview.counts import Series
from serving.desk.overview.sheet import Cell, Sheet
from serving.indicators import VERDICTS


class Numbers:
    """The tables of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._say = board.say

    def summary(self, tiles: Sequence[Tile]) -> Sheet:
        """The large numbers as a table."""
        say = self._say
        return Sheet("总览", [say("指标"), say("数值"), say("相比"), say("分子与分母")], [
            [Cell(one.name), Cell(one.value, one.href), Cell(one.change), Cell(one.more)] for one in tiles
        ])  # fmt: skip

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        """The numbers of every picture."""
        say, counts = self._say, self._board.figures.counts
        before = say("前一段")
        return {
            "tier": self._over("层级", "tier", counts.tier),
            "category": self._over("类别", "category", counts.category[:SHOWN]),
            "area": self._over("辖区", "area", self._board.areas_known_first[:SHOWN]),
            "categories": Sheet("类别合计", [say("类别"), say("件数"), before], [
                [Cell(self._board.name("category", one.code)), Cell(one.total, self._board.to(category=one.code)),
                 Cell(one.before)]
                for one in counts.category
            ]),
            "unit": Sheet("单位", [say("单位"), say("件数")], [
                [Cell(one.name), Cell(one.count, one.href)] for one in self._board.units
            ]),
            "verdicts": self._verdict_sheet(),
            "corrections": Sheet("更正", [say("原来"), say("改成"), say("件数")], [
                [Cell(old), Cell(new), Cell(count, href)] for old, new, count, href in self._board.corrections
            ]),
            "red": self._over("红线", "red", counts.red),
            "drift": self._drift_sheet(),
        }  # fmt: skip

    def _over(self, title: str, task: str, series: Sequence[Series]) -> Sheet:
        """A row for each step, a column for each series."""
        names = [self._board.name(task, one.code) for one in series]
        rows = [
            [Cell(name), *(Cell(one.counts[step], self._at(one.counts[step], step, task, one.code)) for one in series)]
            for step, name in enumerate(self._board.steps)
        ]
        return Sheet(title, [self._say("时间"), *names], rows)

    def _at(self, count: int, step: int, task: str, code: str) -> str:
        return self._board.to(step, **{task: code}) if count else ""

    def _verdict_sheet(self) -> Sheet:
        said = self._board.figures.said
        head = [part for verdict in VERDICTS for part in (self._say(SAID[verdict]), self._say(SAID[verdict] + "率"))]
        rates = {verdict: said.rates(verdict) for verdict in VERDICTS}
        rows = [
            [Cell(name), *(cell for verdict in VERDICTS for cell in (
                Cell(said.steps[verdict][step], self._at(said.steps[verdict][step], step, "verdict", verdict)),
                Cell(_four(rates[verdict][step]), part=True),
            ))]
            for step, name in enumerate(self._board.steps)
        ]  # fmt: skip
        return Sheet("认可与更正", [self._say("时间"), *head], rows)

    def _drift_sheet(self) -> Sheet:
        say = self._say
        head = [say("周"), say("件数"), say("类别分布"), say("把握"), say("没见过的词"), say("更正率"), say("超限")]
        return Sheet("漂移", head, [
            [Cell(one["week"]), Cell(one["decisions"], week(one["week"])), Cell(one["category"]),
             Cell(one["confidence"]), Cell(one["unknown"], part=True), Cell(one["corrected"], part=True),
             Cell(say("是") if one["passed"] else say("否"))]
            for one in self._board.figures.weeks
        ])  # fmt: skip


def _four(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
