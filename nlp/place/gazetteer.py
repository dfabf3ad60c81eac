"""Gazetteer: the places that a centre knows, and the units that cover them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nlp.checked import listed, read_rows, refuse_row
from nlp.errors import RefusedData
from nlp.normalise import plain
from nlp.place.area import COLUMNS, Area, common

# Columns by the names that a table may give them; only the name and one unit are needed.
HEADS = {
    "name": ("name", "名称", "地名"), "kind": ("kind", "类型"), "aliases": ("aliases", "别名"),
    "numbers": ("numbers", "门牌"), "grid": ("grid", "网格"), "community": ("community", "社区"),
    "street": ("street", "街道"), "district": ("district", "区县"), "unit": ("unit", "单位"),
}  # fmt: skip
MEANT = {name: key for key, names in HEADS.items() for name in names}
KINDS = {
    "district": "区县", "street": "街道乡镇", "community": "社区村", "estate": "小区", "road": "道路",
    "building": "楼栋", "poi": "场所",
}  # fmt: skip
BY_NAME = {chinese: kind for kind, chinese in KINDS.items()}
NUMBERS = re.compile(r"(\d+)-(\d+)([单双]?)")
PARITY = {"": None, "单": 1, "双": 0}


@dataclass(frozen=True)
class Numbers:
    """House numbers of a road from `first` to `last`, of one side where `parity` is 0 or 1."""

    first: int
    last: int
    parity: int | None = None

    def hold(self, number: int) -> bool:
        """Whether a house number is among them."""
        return self.first <= number <= self.last and self.parity in (None, number % 2)


@dataclass(frozen=True)
class Spot:
    """One row: a place, its other names, and what covers it; numbers: of a road, where a part of it is meant."""

    name: str
    kind: str
    area: Area
    aliases: tuple[str, ...] = ()
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Gazetteer:
    """All rows, in the order of the file."""

    spots: tuple[Spot, ...] = field(default=())

    @classmethod
    def read(cls, path: Path) -> Gazetteer:
        """Read and check a CSV file; raises `RefusedData` with file, line and column."""
        columns, rows = read_rows(path)
        heads = _heads(path, columns)
        return cls(tuple(_spot(path, line, {key: row[head] for key, head in heads.items()}) for line, row in rows))

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Spot, ...]]:
        """Every name and alias → the rows that bear it."""
        found: dict[str, list[Spot]] = {}
        for spot in self.spots:
            for name in dict.fromkeys((spot.name, *spot.aliases)):
                found.setdefault(name, []).append(spot)
        return {name: tuple(spots) for name, spots in found.items()}


def cover(spots: Iterable[Spot], number: int | None) -> Area:
    """The area of a place that these rows describe; of a numbered road, of the stretch with that number."""
    spots = list(spots)
    exact = [spot for spot in spots if spot.numbers and number is not None and spot.numbers.hold(number)]
    return common(spot.area for spot in exact or spots)


def _heads(path: Path, row: Sequence[str]) -> dict[str, str]:
    """Which column of the table holds what."""
    heads: dict[str, str] = {}
    for head in row:
        key = MEANT.get(head.lower(), "")
        if not key or key in heads:
            reason = f"列 {head} 与列 {heads[key]} 同义" if key else f"不认识的列 {head}"
            raise RefusedData(file=f"{path} 第 1 行", reason=reason)
        heads[key] = head
    if "name" not in heads:
        raise RefusedData(file=f"{path} 第 1 行", reason="缺少列 名称")
    if heads.keys().isdisjoint((*COLUMNS, "unit")):
        raise RefusedData(file=f"{path} 第 1 行", reason="缺少覆盖单位的列：网格、社区、街道、区县之一")
    return heads


def _spot(path: Path, line: int, row: Mapping[str, str]) -> Spot:
    kind = BY_NAME.get(row.get("kind", ""), row.get("kind", "") or "poi")
    if kind not in KINDS:
        raise refuse_row(path, line, "类型", f"{kind} 不是 {'、'.join(KINDS.values())} 之一")
    if len(plain([row["name"]])[0]) < 2:
        raise refuse_row(path, line, "名称", "至少两个字")
    area = Area(*(row.get(column, "") for column in COLUMNS))
    if not area.unit:
        area = Area(grid=row.get("unit", ""))
    if not area.unit:
        raise refuse_row(path, line, "网格", "各级覆盖单位都是空的")
    aliases = tuple(alias for alias in listed(row.get("aliases", "")) if len(plain([alias])[0]) > 1)
    return Spot(row["name"], kind, area, aliases, _numbers(path, line, row.get("numbers", "")))


def _numbers(path: Path, line: int, cell: str) -> Numbers | None:
    if not cell:
        return None
    match = NUMBERS.fullmatch(cell)
    if match is None or int(match[1]) > int(match[2]):
        raise refuse_row(path, line, "门牌", f"“{cell}”不是门牌范围，如 1-99单、2-58")
    return Numbers(int(match[1]), int(match[2]), PARITY[match[3]])
