"""Columns: which column of a table plays which role, as named, by its usual name, or guessed from its content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from corpora.tables import Table
from nlp.errors import InputError
from nlp.taxonomy import TASKS
from training.labels import LONGEST

# The usual names of the columns, where the caller names no others; the first that is there is taken.
USUAL = {
    "text": ("text", "content", "内容", "诉求内容", "工单内容", "反映内容", "来电内容", "来信内容", "正文", "描述",
             "问题描述", "诉求描述"),
    "title": ("title", "标题", "主题", "诉求标题", "工单标题"),
    "category": ("category", "label", "分类", "类别", "诉求类别", "诉求分类", "问题类型", "问题分类", "标签"),
    "tier": ("tier", "层级", "办理层级"),
    "clock": ("clock", "时限", "办理时限"),
    "type": ("type", "诉求类型", "诉求性质"),
    "time": ("time", "received_at", "时间", "来电时间", "受理时间", "创建时间", "登记时间"),
    "id": ("id", "编号", "工单编号", "工单号"),
    "group": ("group", "分组"),
}  # fmt: skip
LEVEL = re.compile("([一二三四五六七八九])级(.*(?:分类|类别|类型|标签|事项|目录).*)")
LEVELS = "一二三四五六七八九"
MOST = 1000  # labels that a guessed column may have
SHORTEST = 6  # mean characters of the texts in a guessed column
HINTS = re.compile("类|标签|label|class|categor", re.IGNORECASE)


@dataclass(frozen=True)
class Chosen:
    """The columns that were taken.

    roles: text, title, a task, time, id or group → its columns; only a category has several, one for each level.
    guessed: the roles whose columns nobody named and that do not bear a usual name.
    """

    roles: Mapping[str, tuple[str, ...]]
    guessed: frozenset[str] = frozenset()

    @cached_property
    def headings(self) -> dict[str, str]:
        """Role → the name of its column, as officials read it."""
        return {role: "/".join(columns) for role, columns in self.roles.items()}

    def column(self, role: str) -> str:
        """The one column of a role, empty if it has none."""
        return self.roles.get(role, ("",))[0]


def choose(place: str | Path, table: Table, named: Mapping[str, str | Sequence[str]]) -> Chosen:
    """The column of every role; raises `InputError` when there is none of texts, or none of labels."""
    names = [name for name in table.rows.column_names if name]
    roles = _named(place, names, named)
    for role, known in USUAL.items():
        free = [name for name in names if name not in _taken(roles)]
        found = roles.get(role) or _first(known, free) or (_levels(free) if role == "category" else ())
        if found:
            roles[role] = found
    guessed = _guessed(table, names, roles)
    roles |= guessed
    there = f"有：{'、'.join(names)}"
    if "text" not in roles:
        reason = f"找不到正文列（试过 {'、'.join(USUAL['text'])}），请用 --text 指定；{there}"
        raise InputError(place=place, reason=reason)
    if not any(task in roles for task in TASKS):
        raise InputError(place=place, reason=f"找不到标签列，请用 --category 等指定；{there}")
    return Chosen({role: roles[role] for role in USUAL if role in roles}, frozenset(guessed))


def _named(
    place: str | Path, names: Sequence[str], named: Mapping[str, str | Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    roles = {role: (given,) if isinstance(given, str) else tuple(given) for role, given in named.items()}
    for role, columns in roles.items():
        missing = next((column for column in columns if column not in names), "")
        if missing:
            raise InputError(place=place, reason=f"没有列 {missing}（指定给 {role}）；有：{'、'.join(names)}")
        if len(columns) > 1 and role != "category":
            raise InputError(place=place, reason=f"--{role} 只能指定一列，给了：{'、'.join(columns)}")
    return {role: columns for role, columns in roles.items() if columns}


def _taken(roles: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {column for columns in roles.values() for column in columns}


def _first(known: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    return next(((name,) for name in known if name in names), ())


def _levels(names: Sequence[str]) -> tuple[str, ...]:
    """一级分类, 二级分类 … in order: the first family of columns that begins with a first level."""
    families: dict[str, dict[int, str]] = {}
    for name in names:
        found = LEVEL.fullmatch(name)
        if found:
            families.setdefault(found[2], {})[LEVELS.index(found[1])] = name
    family = next((levels for levels in families.values() if 0 in levels), {})
    return tuple(family[level] for level in sorted(family))


def _guessed(table: Table, names: Sequence[str], roles: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The columns of texts and labels by their content, where their names say nothing."""
    free = [name for name in names if name not in _taken(roles)]
    found: dict[str, tuple[str, ...]] = {}
    if "text" not in roles:
        means = {name: sum(map(len, table.column(name))) / len(table.rows) for name in free}
        longest = max(free, key=means.__getitem__, default="")
        if longest and means[longest] >= SHORTEST:
            found["text"] = (longest,)
            free.remove(longest)
    if not any(task in roles for task in TASKS):
        counts = {name: _count_of_labels(table.column(name)) for name in free}
        likely = [name for name in free if counts[name]]
        # A column that calls itself a class goes first, then the finest: 性别 and 渠道 have few values.
        if likely:
            found["category"] = (max(likely, key=lambda name: (bool(HINTS.search(name)), counts[name])),)
    return found


def _count_of_labels(values: Sequence[str]) -> int:
    """How many labels a column may hold: few, short, with letters; 0 if it does not look like labels."""
    labels = {value.strip() for value in values} - {""}
    if not 2 <= len(labels) <= min(MOST, len(values) // 2):
        return 0
    short = all(len(label) <= LONGEST and any(map(str.isalpha, label)) for label in labels)
    return len(labels) if short else 0
