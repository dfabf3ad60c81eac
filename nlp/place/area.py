"""Area: the units that cover a place, from its grid up to its district."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

COLUMNS = ("grid", "community", "street", "district")
SUFFIX = re.compile(r"(?:网格|社区|居委会|村委会|街道|村|镇|乡|区|县|市)$")


class Area(NamedTuple):
    """The names of the covering units; an empty name is not known."""

    grid: str = ""
    community: str = ""
    street: str = ""
    district: str = ""

    @property
    def unit(self) -> str:
        """The lowest unit that is known."""
        return next(filter(None, self), "")

    def agrees(self, other: Area) -> bool:
        """Whether no unit known of both differs."""
        return all(not mine or not theirs or mine == theirs for mine, theirs in zip(self, other, strict=True))

    def joined(self, other: Area) -> Area:
        """What is known here, gaps filled from the other."""
        return Area(*(mine or theirs for mine, theirs in zip(self, other, strict=True)))


NOWHERE = Area()


def common(areas: Iterable[Area]) -> Area:
    """The units that all areas share."""
    shared: Area | None = None
    for area in areas:
        shared = area if shared is None else Area(*(a if a == b else "" for a, b in zip(shared, area, strict=True)))
    return shared or NOWHERE


def stem(unit: str) -> str:
    """The name of a unit without the word for its kind: 航天社区 → 航天."""
    return SUFFIX.sub("", unit) or unit
