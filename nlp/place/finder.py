"""Finder: the addresses in the texts of a batch, and the units that cover them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from nlp.files import DATA, read_toml
from nlp.place.area import NOWHERE, Area, common
from nlp.place.gazetteer import Gazetteer, cover
from nlp.place.names import KnownNames, Name, UnknownNames, apart
from nlp.segment import Segmenter
from nlp.text import Texts

HOUSE = re.compile(r"(\d+)(?:[-之]\d+)?[号弄]")
OFFICES = ("street", "community", "area")
CITY = re.compile("[\u3400-\u9fff]{2}市$")
DEPTHS = {"district": 0, "street": 1, "community": 2, "area": 2, "road": 3, "estate": 4, "poi": 4, "building": 5}
ACTING = ("street", "community", "area", "district", "estate")  # kinds whose names are those of offices and firms too


@dataclass(frozen=True, slots=True)
class Found:
    """A place in the buffer of a batch: `start:end`, what covers it, and how what is meant stands to it."""

    start: int
    end: int
    area: Area
    relation: str


class Finder:
    """Finds places; safe to share between threads."""

    def __init__(self, gazetteer: Gazetteer, segmenter: Segmenter) -> None:
        rules = read_toml(DATA / "places.toml")
        self._tail = re.compile(f"(?:{'|'.join(rules['tail'])})+")
        self._known = KnownNames(gazetteer, segmenter, self._tail)
        self._unknown = UnknownNames(rules, segmenter, self._tail)
        self._joined = re.compile(rules["joined"])
        self._crossing = re.compile(rules["crossing"])
        self._relation = re.compile("的?(" + "|".join(sorted(rules["relations"], key=len, reverse=True)) + ")")
        self._asked = tuple(rules["asked"])
        self._actor = re.compile("(?:" + "|".join(rules["actors"]) + ")")

    def find(self, texts: Texts) -> list[Found]:
        """The places of the buffer in order, apart from each other."""
        known = apart(self._known.find(texts))
        unknown = [self._meant(name, texts.whole) for name in self._unknown.find(texts, known)]
        names = sorted(chain(known, unknown), key=lambda name: name.start)
        return list(self._places(texts.whole, names))

    def _meant(self, name: Name, whole: str) -> Name:
        spots = self._known.meant(whole[name.start : name.end])
        return Name(name.start, name.end, spots[0].kind, spots, exact=False) if spots else name

    def _places(self, whole: str, names: Sequence[Name]) -> Iterator[Found]:
        number = last = 0
        while number < len(names):
            address, end = self._address(whole, names, number)
            number += len(address)
            crossed = self._crossed(whole, address, end, names[number] if number < len(names) else None)
            if crossed:
                roads, end = crossed
                number += len(roads) - len(address)
                area = common(_area(whole, [*roads[:-2], road], road.end) for road in roads[-2:])
                yield Found(roads[0].start, end, area, self._related(whole, end))
            elif not self._acts(whole, address, end):
                area = _area(whole, address, end)
                yield Found(self._begun(whole, address[0], last), end, area, self._related(whole, end))
            last = end

    def _acts(self, whole: str, address: Sequence[Name], end: int) -> bool:
        """Whether an office or a firm is meant: 永宁街道办, 请梅桥街道."""
        kind, start = address[-1].kind, address[0].start
        if kind not in ACTING:
            return False
        asked = kind in OFFICES and len(address) == 1 and whole.endswith(self._asked, max(0, start - 3), start)
        return asked or bool(self._actor.match(whole, end))

    @staticmethod
    def _begun(whole: str, first: Name, floor: int) -> int:
        """Where an address begins: a city before its district belongs to it (楚州市临梅区)."""
        city = (
            CITY.search(whole, max(0, first.start - 3), first.start) if first.kind in ("district", "street") else None
        )
        return city.start() if city else first.start

    def _address(self, whole: str, names: Sequence[Name], number: int) -> tuple[list[Name], int]:
        """The names from `number` on that stand together as one address, and its end, numbers included."""
        address = [names[number]]
        end = self._tailed(whole, address[0].end)
        for name in names[number + 1 :]:
            if name.start != end or DEPTHS[name.kind] < DEPTHS[address[-1].kind]:
                break
            address.append(name)
            end = self._tailed(whole, name.end)
        return address, end

    def _tailed(self, whole: str, end: int) -> int:
        tail = self._tail.match(whole, end)
        return tail.end() if tail else end

    def _crossed(
        self, whole: str, address: Sequence[Name], end: int, after: Name | None
    ) -> tuple[Sequence[Name], int] | None:
        """The names up to the second road of a crossing and its end: A路与B路交叉口, A路B路路口."""
        roads = list(address)
        joined = after is not None and self._joined.fullmatch(whole, end, after.start)
        if after is not None and joined and address[-1].kind == after.kind == "road":
            roads, end = [*address, after], after.end
        closing = self._crossing.match(whole, end) if [name.kind for name in roads[-2:]] == ["road"] * 2 else None
        return (roads, closing.end()) if closing else None

    def _related(self, whole: str, end: int) -> str:
        match = self._relation.match(whole, end)
        return match[1] if match else ""


def _area(whole: str, address: Sequence[Name], end: int) -> Area:
    """What covers an address that ends at `end`: each name by its number, the finer one before those before it."""
    area = NOWHERE
    ends = [*(name.start for name in address[1:]), end]
    for name, stop in zip(address, ends, strict=True):
        if name.spots:
            house = HOUSE.search(whole, name.end, stop)
            fitting = [spot for spot in name.spots if spot.area.agrees(area)] or name.spots
            found = cover(fitting, int(house[1]) if house else None)
            area = found.joined(area) if found.agrees(area) else found
    return area
