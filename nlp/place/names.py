"""Names: where the names of places stand in a buffer — those of a gazetteer, misheard ones, unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_lines
from nlp.folding import SIZE
from nlp.normalise import plain
from nlp.place.gazetteer import Gazetteer, Spot
from nlp.place.sound import sounded, sounds
from nlp.segment import Segmenter
from nlp.spotter import Spotter
from nlp.text import Texts, code_points, written

HEARD_AT_LEAST = 3  # characters of a name that may be known by its sound
ALIKE = 0.5  # share of a misheard name's characters that stand as they are written
WEAK_AT_LEAST = 2  # characters of a shortened name, which counts only before a number of its own
SURE = 4  # characters of a name that needs no look at the words around it
STREET, AFTER_STREET = "街", ("道", "坊")
LEFT_OUT = 3  # characters that a shortened name leaves out at most
BACK = 8  # code points before a suffix in which an unknown name may begin
NAME_AT_MOST = 6
# What kind of ending makes, right after a known name, one address with it: 丽景 + 小区, 岭安 + 高铁站.
AFTER = {"estate": ("estate", "poi"), "poi": ("poi",), "community": ("poi",), "street": ("poi",), "district": ("poi",)}
SEATS = frozenset("省市区县")
HAN = re.compile(r"[\u3400-\u9fff0-9a-z]+\Z")


@dataclass(frozen=True, slots=True)
class Name:
    """A name at `start:end`; spots: the rows of the gazetteer that bear it, none where it is unknown."""

    start: int
    end: int
    kind: str
    spots: tuple[Spot, ...] = ()
    exact: bool = True

    @property
    def rank(self) -> tuple[int, int, bool]:
        """Of names that overlap the longest holds, then the one written as in the gazetteer."""
        return (self.end - self.start, bool(self.spots), self.exact)


class KnownNames:
    """The names of a gazetteer, sought by their sound."""

    def __init__(self, gazetteer: Gazetteer, segmenter: Segmenter, tail: re.Pattern[str]) -> None:
        self._tail = tail
        held: dict[str, list[tuple[str, tuple[Spot, ...]]]] = {}
        named: dict[str, tuple[Spot, ...]] = {}
        for name, spots in zip(plain(list(gazetteer.by_name)), gazetteer.by_name.values(), strict=True):
            named[name] = (*named.get(name, ()), *spots)
        for name, spots in named.items():
            held.setdefault(sounded(code_points(name)), []).append((name, spots))
        self._segmenter = segmenter
        self._names = Spotter(held)
        self._by_ending: dict[str, list[tuple[str, tuple[Spot, ...]]]] = {}
        for name, spots in named.items():
            self._by_ending.setdefault(name[-2:], []).append((name, spots))
        self._short = Spotter(
            {part: spots for part, spots in shortened(named).items() if sounded(code_points(part)) not in held}
        )

    def find(self, texts: Texts) -> Iterator[Name]:
        """The names in the buffer, overlapping ones among them; shortened ones where a house or a building follows."""
        if not self._names:
            return
        whole, sound = texts.whole, sounds()[texts.codes]
        for start, part, spots in self._short.find(texts.codes, whole):
            if self._tail.match(whole, start + len(part)):
                yield Name(start, start + len(part), spots[0].kind, spots, exact=False)
        for start, heard, names in self._names.find(sound, written(sound)):
            end = start + len(heard)
            there = whole[start:end]
            exact = dict(names).get(there)
            if exact and self._ends(whole, end):
                yield Name(start, end, exact[0].kind, exact)
            elif not exact and self._cut_off(whole, start, end):
                alike = tuple(spot for name, spots in names if _heard(name, there) for spot in spots)
                if alike:
                    yield Name(start, end, alike[0].kind, alike, exact=False)

    @staticmethod
    def _ends(whole: str, end: int) -> bool:
        """Whether no longer word goes on: 和平街 is none in 和平街道."""
        return not (whole[end - 1] == STREET and whole.startswith(AFTER_STREET, end))

    def _cut_off(self, whole: str, start: int, end: int) -> bool:
        """Whether a misheard name ends where a word ends: 和平街 is not heard in 和平解决."""
        if end - start >= SURE or self._tail.match(whole, end):
            return True
        stretch = whole[start : end + 3].partition("\n")[0]
        return end - start in accumulate(map(len, self._segmenter.cut(stretch)))

    def meant(self, told: str) -> tuple[Spot, ...]:
        """The rows of the one name that an unknown name shortens: its characters, with others left out (棉纺宿舍)."""
        fitting = [
            spots for name, spots in self._by_ending.get(told[-2:], ())
            if len(told) < len(name) <= len(told) + LEFT_OUT and _within(told, name)
        ]  # fmt: skip
        return fitting[0] if len({spots[0].name for spots in fitting}) == 1 else ()


def shortened(named: Mapping[str, tuple[Spot, ...]]) -> dict[str, tuple[Spot, ...]]:
    """Beginnings and ends of the names of estates and buildings that only one of them has → its rows."""
    parts: dict[str, set[str]] = {}
    for name, spots in named.items():
        if spots[0].kind in ("estate", "building"):
            cuts = [name[:size] for size in range(WEAK_AT_LEAST, len(name))]
            for part in (*cuts, *(name[size:] for size in range(1, len(name) - WEAK_AT_LEAST))):
                parts.setdefault(part, set()).add(spots[0].name)
    kept = {part: names.pop() for part, names in parts.items() if len(names) == 1 and part not in named}
    rows = {spots[0].name: spots for spots in named.values()}
    return {part: rows[name] for part, name in kept.items()}


class UnknownNames:
    """Names that no gazetteer holds, known by what they end with."""

    def __init__(self, rules: Mapping[str, Any], segmenter: Segmenter, tail: re.Pattern[str]) -> None:
        self._segmenter = segmenter
        self._tail = tail
        self._kinds = {suffix: kind for kind, suffixes in rules["suffixes"].items() for suffix in suffixes}
        self._numbered = frozenset(rules["numbered"])
        self._weak = tuple(rules["stop"]["endings"])
        self._longer = tuple(rules["longer"])
        self._inner = frozenset(rules["inner"])
        self._stop = frozenset(rules["stop"]["words"])
        self._generic = frozenset(rules["stop"]["generic"])
        self._common = frozenset(" ".join(read_lines(DATA / "common.txt")).split())
        suffixes = (*self._kinds, *self._numbered)
        self._long = Spotter({suffix: suffix for suffix in suffixes if len(suffix) > 1})
        self._single = _characters(suffix for suffix in suffixes if len(suffix) == 1)
        self._single_numbered = _characters(suffix for suffix in self._numbered if len(suffix) == 1)
        self._tails = _characters(rules["tails"])
        self._never = _characters(word for word in self._stop if len(word) == 1)
        self._seldom = self._never | _characters(word for word in self._weak if len(word) == 1)

    def find(self, texts: Texts, taken: Sequence[Name]) -> Iterator[Name]:
        """The unknown names that end outside the names already taken, which are in order and apart."""
        whole, place = texts.whole, 0
        before = Name(0, 0, "")
        for begun, suffix in self._suffixes(texts):
            end = begun + len(suffix)
            while place < len(taken) and taken[place].end < end:
                before = max(before, taken[place], key=lambda name: name.end)
                place += 1
            if end <= before.end or (place < len(taken) and taken[place].start < end):
                continue
            kind = self._kinds.get(suffix, "estate")
            joined = before.end == begun and kind in AFTER.get(before.kind, ())
            numbered = self._tail.match(whole, before.end)
            floor = max(numbered.end() if numbered else before.end, begun - BACK)
            start = begun if joined else self._start(whole, floor, begun, inner=kind != "road")
            if joined or (start < begun and self._stands(whole, start, end, suffix)):
                before = Name(start, end, kind)
                yield before

    def _suffixes(self, texts: Texts) -> list[tuple[int, str]]:
        """Where endings stand that may end a name, in order; of those that begin together the longest first."""
        codes, whole = texts.codes, texts.whole
        if len(codes) < 3:
            return []
        before, after = codes[:-2], codes[2:]
        numbered = self._tails[after]
        fits = self._single[codes[1:-1]] & np.where(numbered, ~self._never[before], ~self._seldom[before])
        fits &= numbered | ~self._single_numbered[codes[1:-1]]
        found = [(place, whole[place]) for place in (fits.nonzero()[0] + 1).tolist()]
        found += [
            (start, suffix) for start, suffix, _ in self._long.find(codes, whole)
            if start and not self._never[codes[start - 1]]
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one[0], -len(one[1])))

    def _stands(self, whole: str, start: int, end: int, suffix: str) -> bool:
        """Whether the name may stand there: many endings need a number after them, no longer word may go on."""
        if self._tail.match(whole, end):
            return True
        name = whole[start : end - len(suffix)]
        return not (suffix in self._numbered or name.endswith(self._weak) or whole.startswith(self._longer, end))

    def _start(self, whole: str, floor: int, end: int, *, inner: bool) -> int:
        """Where the name before a suffix at `end` begins; `end` where there is none.

        inner: whether a word like 中心 or 人民 may stand between them.

        All words back to one that begins no name, if they are short; otherwise the last of two characters.
        """
        before = whole[end - 2 : end]
        if before not in self._inner and (before in self._generic or before in self._common):
            return end
        window = HAN.search(whole, floor, end)
        words = self._segmenter.cut(window[0]) if window else []
        between = words.pop() if inner and words and words[-1] in self._inner else ""
        if between and words and words[-1] in SEATS:
            return max(floor, end - len(between) - 1)  # 市中心医院, whatever stands before
        name = self._named(words)
        told = "".join(name) + between
        if len(told) < 2 or told.isdigit() or told in self._generic or not name:
            return end
        return end if not between and name[-1] in self._generic else end - len(told)

    def _named(self, words: Sequence[str]) -> list[str]:
        """The last of the words that may be a name."""
        name: list[str] = []
        for word in reversed(words):
            if word in self._stop or word in self._common:
                break
            name.insert(0, word)
        if sum(map(len, name)) <= NAME_AT_MOST:
            return name
        return name[-1:] if len(name[-1]) > 1 else name[-2:]


def _characters(words: Iterable[str]) -> NDArray[np.bool_]:
    """(SIZE,) true for the characters of the words."""
    table = np.zeros(SIZE, np.bool_)
    table[[ord(character) for word in words for character in word]] = True
    return table


def apart(names: Iterator[Name]) -> list[Name]:
    """The names in order, of those that overlap the best."""
    chosen: list[Name] = []
    for name in sorted(names, key=lambda name: (name.start, tuple(-part for part in name.rank))):
        if chosen and name.start < chosen[-1].end:
            if name.rank > chosen[-1].rank:
                chosen[-1] = name
        else:
            chosen.append(name)
    return chosen


def _within(part: str, name: str) -> bool:
    """Whether the characters of a part stand in a name in their order."""
    rest = iter(name)
    return all(character in rest for character in part)


def _heard(name: str, there: str) -> bool:
    same = sum(one == other for one, other in zip(name, there, strict=True))
    return len(name) >= HEARD_AT_LEAST and same >= ALIKE * len(name)
