"""Profile: one governance system — its levels, who takes what, how, in which steps, and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from nlp.checked import STRICT, place_of, read_checked
from nlp.errors import RefusedData
from nlp.place.area import Area, stem
from nlp.route.facts import Facts, Names, When
from nlp.route.groups import Groups

Lists = Mapping[str, tuple[Path, bool]]
PLACEHOLDER = re.compile(r"\{(?:name|stem)\}")
EXTERNAL = "external"  # the unit of a tier at which a profile ends


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level of the system. covers: the column of a gazetteer whose units it has, and its name there.

    local: how such a unit is called, `{name}` being the unit and `{stem}` its name without the word for its kind.
    aside: a level that only some places have, not a rung of the usual chain.
    """

    __pydantic_config__ = STRICT

    name: str
    covers: Literal["", "grid", "community", "street", "district"] = ""
    local: str = "{name}"
    aside: bool = False
    body: str = ""
    """Who sits there: its people and bodies, in words."""

    def unit(self, area: Area) -> str:
        """The level's unit that covers an area, or its general name."""
        there: str = getattr(area, self.covers) if self.covers else ""
        return self.local.format(name=there, stem=stem(there)) if there else self.name


@dataclass(frozen=True, kw_only=True)
class Seat(When):
    """Who takes a matter: the first seat whose condition holds.

    own: no department is named beside the unit. known_as: what the catalogue calls the unit itself.
    chain: the levels of the place, where they are not those of the system.
    """

    start: str
    unit: str
    chain: Names = ()
    own: bool = False
    known_as: Names = ()

    @property
    def only_tier(self) -> bool:
        """Whether it takes everything of its tiers."""
        return self.constrained == {"tier"} and not self.outside


@dataclass(frozen=True, kw_only=True)
class Way(When):
    """How a matter is settled, and who helps.

    sideways: neighbours of the same level (横向联动). beyond: also where the system itself ends.
    """

    mode: str
    way: str
    support: Names = ()
    sideways: Names = ()
    beyond: bool = False


@dataclass(frozen=True, kw_only=True)
class Mode(When):
    """How fast or by whom a matter is settled, whatever its way."""

    mode: str


@dataclass(frozen=True, kw_only=True)
class Tell(When):
    """Who is told at once of a major matter."""

    notify: Names


@dataclass(frozen=True, kw_only=True)
class Guard(When):
    """A rule above model and catalogue. raised: the lowest tier that may take it.

    lead: who settles it; unit: who takes it instead of anybody here; notify: whom to call; refused: the
    hotline must not take it; why and turn: in words for the operator, turn being where to go instead.
    """

    name: str
    why: str
    raised: str = ""
    lead: str = ""
    unit: str = ""
    notify: Names = ()
    support: Names = ()
    refused: bool = False
    turn: str = ""

    @property
    def speaks(self) -> bool:
        """Whether it says anything even where it raises no tier."""
        return bool(self.lead or self.unit or self.notify or self.support or self.refused)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step up of the chain, and when it is taken."""

    __pydantic_config__ = STRICT

    to: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """A way in: a petition came so if its channel holds one of the words; without words, any other."""

    __pydantic_config__ = STRICT

    name: str
    words: Names = ()


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Part of the system that closes cases by itself, for some tiers."""

    __pydantic_config__ = STRICT

    name: str
    tier: Names


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something the system's documents state, kept for its readers and its tests."""

    __pydantic_config__ = STRICT

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One governance system, as its file tells it."""

    __pydantic_config__ = STRICT

    name: str
    title: str
    source: str
    levels: tuple[Level, ...]
    seats: tuple[Seat, ...]
    ways: tuple[Way, ...]
    steps: Names
    escalation: tuple[Step, ...] = ()
    tells: tuple[Tell, ...] = ()
    guards: tuple[Guard, ...] = ()
    sources: tuple[Source, ...] = ()
    loops: tuple[Loop, ...] = ()
    modes: tuple[Mode, ...] = ()
    indicators: Names = ()
    scope: Names = ()
    """Categories that the system is for; empty for all."""
    lists: str = ""
    """The file of its lists of matters, whose names stand for their categories in `parent`."""
    clocks: str = ""
    """The clock table of the place; without one the taxonomy's hours hold."""
    respond_hours: float = 24.0
    """Within which a dispatched ticket is to be responded to (响应率)."""
    coordinator: str = "12345 派单席"
    """Who decides where two units disagree."""
    principles: Names = ()
    facts: tuple[Fact, ...] = ()

    @classmethod
    def read(cls, path: Path, groups: Groups, lists: Lists, *, strict: bool = False) -> Profile:
        """Read and check a profile; raises `RefusedData` with file, line and reason.

        groups: the upper nodes of the taxonomy; lists: the files of lists, and whether they are the office's own.
        strict: codes that the taxonomy does not hold are refused, not passed over.
        """
        profile = read_checked(path, cls)
        profile._check(path)
        if profile.lists:
            if profile.lists not in lists:
                raise RefusedData(file=place_of(path, ("lists",)), reason=f"没有名为 {profile.lists} 的清单")
            file, mine = lists[profile.lists]
            groups = groups.with_list(file, strict=mine)
        for table, rules in profile.tables.items():
            groups.check_words(path, table, rules)
        for number, guard in enumerate(profile.guards):
            groups.check_codes(path, ("guards", number, "raised"), "tier", filter(None, [guard.raised]))
        if strict:
            for table, rules in profile.tables.items():
                groups.check(path, table, rules)
            groups.check_codes(path, ("scope",), "category", profile.scope)
        return profile._spread(groups)

    @property
    def tables(self) -> Mapping[str, tuple[When, ...]]:
        """All rules with conditions, by the names of their tables."""
        return {
            "seats": self.seats, "ways": self.ways, "modes": self.modes, "tells": self.tells, "guards": self.guards,
        }  # fmt: skip

    @cached_property
    def chain(self) -> Names:
        """The names of the levels, lowest first."""
        return tuple(level.name for level in self.levels if not level.aside)

    @property
    def told(self) -> dict[str, object]:
        """What a client may want to know of the system."""
        return {
            "name": self.name, "title": self.title, "source": self.source, "principles": self.principles,
            "chain": self.chain, "levels": [{"name": level.name, "body": level.body} for level in self.levels],
            "escalation": [{"to": step.to, "when": step.when} for step in self.escalation],
            "steps": self.steps, "loops": [loop.name for loop in self.loops], "indicators": self.indicators,
            "scope": self.scope, "clocks": self.clocks,
        }  # fmt: skip

    def rules(self) -> Iterator[When]:
        """All rules with conditions."""
        for table in self.tables.values():
            yield from table

    def fact(self, name: str) -> str:
        """What the documents state under a name."""
        return next(fact.value for fact in self.facts if fact.name == name)

    def loop(self, tier: str) -> str:
        """The loop that closes cases of a tier, or an empty string."""
        return next((loop.name for loop in self.loops if tier in loop.tier), "")

    def mode(self, facts: Facts, way: Way) -> str:
        """The loop that closes cases of the tier, else the mode that holds, else the one of the way."""
        return self.loop(facts.tier) or next((mode.mode for mode in self.modes if mode.holds(facts)), way.mode)

    def way_in(self, channel: str) -> str:
        """The name of the source that a channel stands for."""
        return next(
            (
                source.name
                for source in self.sources
                if not source.words or any(word in channel for word in source.words)
            ),
            "",
        )

    def level(self, unit: str) -> Level | None:
        """The level that a unit stands on: the one whose name it begins with."""
        fitting = [level for level in self.levels if unit.startswith(level.name)]
        return max(fitting, key=lambda level: len(level.name), default=None)

    def _spread(self, groups: Groups) -> Profile:
        def written(rules: tuple[When, ...]) -> tuple[When, ...]:
            return tuple(groups.spread(rule) for rule in rules)

        return replace(self, **{name: written(rules) for name, rules in self.tables.items()})  # type: ignore[arg-type]

    def _check(self, path: Path) -> None:
        if path.stem != self.name:
            raise RefusedData(file=place_of(path, ("name",)), reason=f"文件名与 name 不同：{self.name}")
        if not self.ways or not self.ways[-1].free:
            raise RefusedData(
                file=place_of(path, ("ways", len(self.ways) - 1)), reason="最后一条 ways 须不带条件，作为默认"
            )
        for number, level in enumerate(self.levels):
            if set("{}") & set(PLACEHOLDER.sub("", level.local)):
                raise RefusedData(file=place_of(path, ("levels", number, "local")), reason="只能用 {name} 和 {stem}")
        for number, step in enumerate(self.escalation):
            if self.level(step.to) is None:
                reason = f"“{step.to}”不是这个体系的层级"
                raise RefusedData(file=place_of(path, ("escalation", number, "to")), reason=reason)
        for number, seat in enumerate(self.seats):
            for field, units in (("unit", [seat.unit]), ("start", [seat.start]), ("chain", seat.chain)):
                lost = next((unit for unit in units if unit != EXTERNAL and self.level(unit) is None), "")
                if lost:
                    reason = f"“{lost}”不是这个体系的层级"
                    raise RefusedData(file=place_of(path, ("seats", number, field)), reason=reason)
