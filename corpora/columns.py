"""Columns: which column of a table plays which role, as named, by its usual name, or guessed from its content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corpora.guesses import likely_labels, likely_texts
from corpora.rows.cell import text
from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, TASKS

ROLES = {
    "text": "正文", "title": "标题", **TASK_NAMES, "time": "时间", "id": "编号", "group": "分组", "channel": "渠道",
    "location": "地址", "phone": "电话", "unit": "承办单位", "deadline": "办理期限",
}  # fmt: skip
# The usual names of the columns, where the caller names no others; the first that is there is taken.
USUAL = {
    "text": ("text", "content", "内容", "诉求内容", "工单内容", "反映内容", "来电内容", "来信内容", "正文", "描述",
             "问题描述", "诉求描述", "投诉内容", "信件内容", "留言内容", "事件描述", "事件内容", "案件描述", "主要内容",
             "诉求详情", "workordercontent", "description"),
    "title": ("title", "标题", "主题", "诉求标题", "工单标题", "诉求主题", "信件标题", "事件标题", "appealSubject"),
    "category": ("category", "label", "分类", "类别", "诉求类别", "诉求分类", "问题类型", "问题分类", "标签"),
    "tier": ("tier", "层级", "办理层级"),
    "clock": ("clock", "时限", "办理时限"),
    "type": ("type", "诉求类型", "诉求性质", "appealType"),
    "time": ("time", "received_at", "时间", "来电时间", "受理时间", "创建时间", "登记时间", "诉求时间", "反映时间",
             "来信时间", "提交时间", "接收时间", "dispatchtime", "requested_datetime"),
    "id": ("petition_id", "id", "编号", "工单编号", "工单号", "工单编码", "受理编号", "诉求编号", "登记编号",
           "信件编号", "案件编号", "事件编号", "流水号", "workordercode", "service_request_id"),
    "group": ("group", "分组"),
    "channel": ("channel", "渠道", "受理渠道", "来源渠道", "诉求渠道", "诉求来源", "工单来源", "来源", "受理方式"),
    "location": ("location", "事发地址", "事发地点", "诉求地址", "诉求地点", "发生地址", "发生地点", "事件地址",
                 "反映地址", "问题地址", "地址", "地点", "详细地址", "incidentAddress", "place", "address",
                 "address_string"),
    "phone": ("phone", "来电号码", "联系电话", "电话", "手机", "手机号", "手机号码", "电话号码", "来电电话",
              "主叫号码", "联系方式", "contactPhone"),
    "unit": ("unit", "承办单位", "主办单位", "办理单位", "处理单位", "责任单位", "承办部门", "主办部门", "办理部门",
             "责任部门", "assignedDept", "agency_responsible"),
    "deadline": ("deadline", "办理期限", "截止时间", "截止日期", "办理截止时间", "办结期限", "办结时限", "限办时间",
                 "要求办结时间", "到期时间", "expectedDeadline", "processlimited", "expected_datetime"),
}  # fmt: skip
LEARNED = ("text", "title", *TASKS, "time", "id", "group")  # what training reads
DECIDED = tuple(role for role in USUAL if role != "group")  # what a backlog is decided by and compared with
LEVEL = (
    re.compile("(?P<level>[一二三四五六七八九])级(?P<family>.*(?:分类|类别|类型|标签|事项|目录).*)"),
    re.compile("(?P<family>.*)(?P<level>[大中小细])类(?:别|名称)?"),
)
LEVELS = {sign: level for signs in ("一二三四五六七八九", "大中小细") for level, sign in enumerate(signs)}
HEADING = 15  # characters; the name of a column is shorter, a petition is longer
Named = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Chosen:
    """The columns that were taken, under the names that they have in the table.

    roles: role → its columns; only a category has several, one for each level.
    guessed: the roles whose columns nobody named and that do not bear a usual name.
    """

    roles: Named
    guessed: frozenset[str] = frozenset()

    @cached_property
    def headings(self) -> dict[str, str]:
        """Role → the name of its column, as officials read it."""
        return {role: "/".join(columns) for role, columns in self.roles.items()}

    def column(self, role: str) -> str:
        """The one column of a role, empty if it has none."""
        return self.roles.get(role, ("",))[0]

    def told(self) -> list[str]:
        """What was taken for each role, for officials."""
        guesses = {role: f"（猜的，用 --{role} 可改）" if role in self.guessed else "" for role in self.roles}
        return [f"{ROLES[role]} ← 列『{heading}』{guesses[role]}" for role, heading in self.headings.items()]

    def shown(self) -> str:
        """The same on one line."""
        return "；".join(self.told())

    def refuse_formulas(self, place: object, formulas: Mapping[str, str]) -> None:
        """Raise `InputError` if a column that was taken holds a formula without its value (column → first such cell).

        Excel saves each formula with its value; other programs may not, and nothing can be read there.
        """
        for column in (column for columns in self.roles.values() for column in columns):
            if column in formulas:
                told = f"{place}，单元格 {formulas[column]}，列 {column}"
                raise InputError(place=told, reason="是公式，文件里没有存它的结果；请用 Excel 或 WPS 打开，另存为值")


def choose(
    place: object,
    names: Sequence[str],
    sample: Iterable[Sequence[Any]],
    named: Mapping[str, str | Sequence[str]],
    *,
    labels: bool,
) -> Chosen:
    """The column of every role among the `names` of a table.

    sample: some rows, read only where names say nothing. named: role → its column, or columns. labels: whether the
    table is to be learned from, so that it must hold labels; else labels are optional and never guessed.
    Raises `InputError` when there is no column of texts, or none of labels, or the choice makes no sense.
    """
    roles = _named(place, names, named)
    for role in LEARNED if labels else DECIDED:
        free = [name for name in names if name.strip() and name not in _taken(roles)]
        found = roles.get(role) or _first(USUAL[role], free) or (_levels(free) if role == "category" else ())
        if found:
            roles[role] = found
    guessed = _guessed(names, sample, roles, labels=labels)
    roles |= guessed
    _refuse_missing(place, names, roles, labels=labels)
    _refuse_doubled(place, names, roles)
    if any(len(column) > HEADING for columns in guessed.values() for column in columns):
        reason = "第一行像是一件工单，不是列名；请在第一行写上列名（内容、类别……），或用 --text、--category 指定列"
        raise InputError(place=place, reason=reason)
    return Chosen({role: roles[role] for role in ROLES if role in roles}, frozenset(guessed))


def _named(place: object, names: Sequence[str], named: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    there = {name.strip(): name for name in reversed(names) if name.strip()} | dict(zip(names, names, strict=True))
    given = {role: (one,) if isinstance(one, str) else tuple(one) for role, one in named.items()}
    for role, columns in given.items():
        missing = next((column for column in columns if column not in there), "")
        if missing:
            raise InputError(place=place, reason=f"没有列 {missing}（指定给 {role}）；有：{_list(names)}")
        if len(columns) > 1 and role != "category":
            raise InputError(place=place, reason=f"--{role} 只能指定一列，给了：{'、'.join(columns)}")
    return {role: tuple(there[column] for column in columns) for role, columns in given.items() if columns}


def _list(names: Sequence[str]) -> str:
    """The names as an error lists them; a table may have thousands."""
    shown = [name.strip() for name in names if name.strip()]
    return "、".join(shown[:50]) + (f"…… 共 {len(shown)} 列" if len(shown) > 50 else "")


def _taken(roles: Named) -> set[str]:
    return {column for columns in roles.values() for column in columns}


def _first(known: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    bare = {name.strip().casefold(): name for name in reversed(names)}
    return next(((bare[name.casefold()],) for name in known if name.casefold() in bare), ())


def _levels(names: Sequence[str]) -> tuple[str, ...]:
    """一级分类, 二级分类 …, or 大类, 小类 … in order: the first family of columns that begins with a first level."""
    families: dict[str, dict[int, str]] = {}
    for name in names:
        found = next(filter(None, (pattern.fullmatch(name.strip()) for pattern in LEVEL)), None)
        if found:
            families.setdefault(found["family"], {})[LEVELS[found["level"]]] = name
    family = next((levels for levels in families.values() if 0 in levels), {})
    return tuple(family[level] for level in sorted(family))


def _guessed(
    names: Sequence[str], sample: Iterable[Sequence[Any]], roles: Named, *, labels: bool
) -> dict[str, tuple[str, ...]]:
    """The columns of texts and labels by their content, where their names say nothing."""
    wanted = "text" not in roles, labels and not any(task in roles for task in TASKS)
    if not any(wanted):
        return {}
    rows = [tuple(map(text, row)) for row in sample]
    places = [place for place, name in enumerate(names) if name.strip() and name not in _taken(roles)]
    cells = {names[place]: [row[place] if place < len(row) else "" for row in rows] for place in places}
    texts = likely_texts(cells) if wanted[0] else ""
    cells.pop(texts, None)
    category = likely_labels(cells) if wanted[1] else ""
    return {role: (column,) for role, column in (("text", texts), ("category", category)) if column}


def _refuse_missing(place: object, names: Sequence[str], roles: Named, *, labels: bool) -> None:
    there = f"有：{_list(names)}"
    if "text" not in roles:
        tried = "、".join(USUAL["text"])
        raise InputError(place=place, reason=f"找不到正文列（试过 {tried}），请用 --text 指定；{there}")
    if labels and not any(task in roles for task in TASKS):
        raise InputError(place=place, reason=f"找不到标签列，请用 --category 等指定；{there}")


def _refuse_doubled(place: object, names: Sequence[str], roles: Named) -> None:
    """One column cannot play two roles, and of two columns of one name nobody knows which is meant."""
    columns = [column for columns in roles.values() for column in columns]
    bare = [name.strip() for name in names]
    for column in columns:
        if columns.count(column) > 1:
            raise InputError(place=place, reason=f"列 {column} 派了两个用处，请各用一列（--text、--category 等）")
        if bare.count(column.strip()) > 1:
            raise InputError(place=place, reason=f"有两列都叫 {column.strip()}，请改掉其中一个")
