"""Spans: many record numbers in few words, like `5,9-12`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

PART = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


@dataclass(frozen=True)
class Spans:
    """A set of numbers as spans, in order and apart: starts[i] to ends[i], both within."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @classmethod
    def over(cls, pairs: Iterable[tuple[int, int]]) -> Spans:
        """The numbers in any of these spans (first, last), which may overlap."""
        starts: list[int] = []
        ends: list[int] = []
        for first, last in sorted(pairs):
            if ends and first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            elif first <= last:
                starts.append(first)
                ends.append(last)
        return cls(tuple(starts), tuple(ends))

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Spans:
        """These numbers."""
        return cls.over((number, number) for number in numbers)

    @classmethod
    def read(cls, written: str, below: int) -> Spans:
        """What `str` wrote, as far as it lies below a number; anything else in it counts for nothing."""
        parts = filter(None, map(PART.fullmatch, written.split(",")))
        pairs = ((int(part[1]), int(part[2] or part[1])) for part in parts)
        return cls.over((first, min(last, below - 1)) for first, last in pairs)

    @classmethod
    def union(cls, several: Iterable[Spans]) -> Spans:
        """The numbers of all of them."""
        return cls.over(pair for spans in several for pair in zip(spans.starts, spans.ends, strict=True))

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self.starts, number) - 1
        return place >= 0 and number <= self.ends[place]

    def __str__(self) -> str:
        pairs = zip(self.starts, self.ends, strict=True)
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)
