"""Dispatch: for each matter of a batch its facts — words, places, source — and the route that they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from nlp.decision import Matter, Place, Route
from nlp.features import FIELDS
from nlp.petition import Petition
from nlp.place.area import NOWHERE, Area
from nlp.place.finder import Finder, Found
from nlp.reader import Reader, Reading
from nlp.redline import RedLine
from nlp.route.facts import Facts
from nlp.route.plan import Plan
from nlp.route.profile import Profile
from nlp.route.router import Router
from nlp.route.rulebase import Rulebase
from nlp.route.words import Held, Words, between
from nlp.segment import Segmenter
from nlp.text import Texts

LOCATION = "location"
Codes = tuple[str, str, str, str]
"""Category, tier, clock and type, in the order of `TASKS`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be dispatched of a petition: its codes and red line, and its matters where it holds several.

    parts: the codes of each matter, the main one first, and where in the buffer it stands.
    others: the next likely categories, where they were asked for.
    """

    codes: Codes
    redline: RedLine | None
    parts: Sequence[tuple[Codes, int, int]] = ()
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class Located:
    """The places of a petition, what they point to, and the first that no gazetteer covers.

    spans: those of its text, in the buffer, with their areas.
    """

    places: list[Place] = field(default_factory=list)
    area: Area = NOWHERE
    unknown: str = ""
    spans: list[tuple[int, int, Area]] = field(default_factory=list)

    def add(self, place: Place, found: Found) -> None:
        """A further place: what is known stays, and is made finer by one that agrees with it."""
        area = found.area
        self.places.append(place)
        if area == NOWHERE:
            self.unknown = self.unknown or place.text
        elif self.area.agrees(area):
            self.area = self.area.joined(area)

    def within(self, start: int, end: int) -> Area:
        """The area of the first covered place of a stretch, or of the petition."""
        there = (area for first, last, area in self.spans if start <= first and last <= end and area != NOWHERE)
        return next(there, self.area)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The places and the matters of a petition, the main one first, with the plan of each."""

    plans: list[Plan]
    matters: list[Matter]
    places: list[Place]

    @property
    def plan(self) -> Plan:
        """The plan of the main matter."""
        return self.plans[0]


class Dispatcher:
    """The rules in force, ready for batches; safe to share between threads."""

    def __init__(self, rules: Rulebase, segmenter: Segmenter, reader: Reader | None = None) -> None:
        self.router = Router(rules)
        self._reader = reader or Reader()
        self._finder = Finder(rules.gazetteer, segmenter)
        self._words = Words(word for rule in rules.conditions() for word in rule.words)

    def dispatch(
        self, petitions: Sequence[Petition], reading: Reading, asked: Sequence[Asked], profile: str, now: datetime
    ) -> list[Dispatched]:
        """The places and the routed matters of each petition of a batch, in order."""
        system = self.router.rules.profile(profile)
        words = self._words.find(reading.texts)
        located = self._locate(petitions, reading)
        nowhere = Located()
        return [
            self._one(petition, one, words.get(row, []), located.get(row, nowhere), system, reading.texts, now)
            for row, (petition, one) in enumerate(zip(petitions, asked, strict=True))
        ]

    def _one(self, petition: Petition, asked: Asked, words: Held, located: Located, system: Profile,
             texts: Texts, now: datetime) -> Dispatched:  # fmt: skip
        received = petition.received_at or now
        source = system.way_in(petition.channel) if system.sources else ""
        kind = asked.redline.kind if asked.redline else ""
        facts = Facts(*asked.codes, frozenset(word for _, word in words), kind, located.area, source)
        plan, route = self.router.routed(system, facts, received, located.unknown)
        if not asked.parts:
            return Dispatched([plan], [_matter(plan, route, 0, len(petition.text))], located.places)
        plans, matters = [plan], [_matter(plan, route, *texts.source(*asked.parts[0][1:]))]
        for codes, start, end in asked.parts[1:]:
            alone = self._alone(facts, codes, texts.whole[start:end], asked.redline)
            other = replace(alone, words=between(words, start, end), area=located.within(start, end))
            plan, route = self.router.routed(system, other, received, located.unknown)
            plans.append(plan)
            matters.append(_matter(plan, route, *texts.source(start, end)))
        return Dispatched(plans, matters, located.places)

    @staticmethod
    def _alone(whole: Facts, codes: Codes, text: str, redline: RedLine | None) -> Facts:
        """The facts of one matter among several; the red line is its own if its text shows it."""
        category, tier, clock, kind = codes
        mine = replace(whole, category=category, tier=tier, type=kind)
        if redline is not None and all(word in text for word in redline.words):
            return mine
        return replace(mine, clock=clock, redline="")

    def _locate(self, petitions: Sequence[Petition], reading: Reading) -> dict[int, Located]:
        """The places of those petitions that name any; a location that was given goes before title and text."""
        located: dict[int, Located] = {}
        given = [row for row, petition in enumerate(petitions) if petition.location]
        if given:
            fields = [part for row in given for part in (petitions[row].location, "")]
            for number, place, found in self._places(self._reader.fields(fields), (LOCATION, "")):
                located.setdefault(given[number >> 1], Located()).add(place, found)
        for number, place, found in self._places(reading, FIELDS):
            one = located.setdefault(number >> 1, Located())
            one.add(place, found)
            if number & 1:
                one.spans.append((found.start, found.end, found.area))
        return located

    def _places(self, reading: Reading, names: Sequence[str]) -> Iterator[tuple[int, Place, Found]]:
        """The number of the field, the place and what was found, for all places of a reading."""
        texts, places = reading.texts, self._finder.find(reading.texts)
        if not places:
            return
        begin, end = np.array([(found.start, found.end) for found in places]).T
        hidden = np.concatenate(([0], np.cumsum(~texts.plain)))
        quotable = hidden[end] == hidden[begin]  # what masking put in is never quoted
        spans = (texts.bounds.searchsorted(begin, side="right") - 1, texts.start[begin], texts.end[end - 1], quotable)
        for found, number, first, last, said in zip(places, *(part.tolist() for part in spans), strict=True):
            if said:
                text = reading.sources[number][first:last]
                yield number, Place(text, first, last, found.area.unit, found.relation, names[number & 1]), found


def _matter(plan: Plan, route: Route, start: int, end: int) -> Matter:
    return Matter(plan.facts.category, start, end, plan.facts.tier, plan.facts.clock, route)
