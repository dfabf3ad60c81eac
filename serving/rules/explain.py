"""Explain: a petition's way through the rules, as an official reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from nlp.decision import Matter, Place, Route
from nlp.dispatch import Dispatched
from nlp.place.area import NOWHERE
from nlp.route.plan import Plan
from nlp.route.profile import Profile


def explained(sent: Dispatched, text: str, received: datetime, profile: Profile) -> RenderableType:
    """The masked text, its places, and for each matter the rules that were asked and what came of them."""
    parts: list[RenderableType] = [Panel(Text(text), title=f"诉求（{profile.title}）", expand=False)]
    if sent.places:
        parts.append(_places(sent.places))
    several = len(sent.matters) > 1
    for number, (plan, matter) in enumerate(zip(sent.plans, sent.matters, strict=True), 1):
        title = f"第 {number} 件事：第 {matter.start + 1}–{matter.end} 字" if several else "经过"
        parts += [_path(title, plan, matter), _outcome(matter.route, received)]
        parts += [Text(f"请人工：{reason}", style="yellow") for reason in plan.reasons]
    return Group(*parts)


def _places(places: Sequence[Place]) -> Table:
    table = Table(title="地点", title_justify="left")
    for name in ("原文", "关系", "覆盖单位"):
        table.add_column(name)
    for place in places:
        table.add_row(Text(place.text), Text(place.relation), Text(place.unit or "不在地名库"))
    return table


def _path(title: str, plan: Plan, matter: Matter) -> Tree:
    tree = Tree(Text(title, style="bold"))
    for line in plan.path:
        tree.add(Text(line))
    if plan.facts.area == NOWHERE:
        tree.add(Text("地点：没有查到覆盖单位，用层级的默认单位", style="dim"))
    for climb in matter.route.escalation:
        tree.add(Text(f"上报：{climb.when} → {climb.to}", style="dim"))
    return tree


def _outcome(route: Route, received: datetime) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows = {
        "先到": route.start, "承办": route.unit, "层层上报": " → ".join(route.chain),
        "协办": "、".join(route.support), "横向联动": "、".join(route.sideways), "立即联系": "、".join(route.notify),
        "办理": f"{route.mode} · {route.way}", "步骤": " → ".join(route.steps),
        "期限": f"{received.isoformat(timespec='seconds')} 起，至 {route.due}", "依据": route.legal, "规则": route.rule,
    }  # fmt: skip
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="bold"), Text(value))
    return table
