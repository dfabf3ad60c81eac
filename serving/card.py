"""A decision for a person to read: one table in colour."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nlp.decision import Answer, CategoryAnswer, Decision
from nlp.taxonomy import TASK_NAMES


def card(decision: Decision) -> RenderableType:
    """The decision as a table: answers, words, route, reasons."""
    return Group(_answers(decision), _route(decision), _verdict(decision))


def _answers(decision: Decision) -> Table:
    table = Table(show_header=True, header_style="bold", expand=False)
    for name in ("", "决定", "把握", "其次", "依据的词"):
        table.add_column(name)
    for task, name in TASK_NAMES.items():
        answer: Answer | CategoryAnswer = getattr(decision, task)
        others = "  ".join(f"{choice.name} {choice.confidence:.2f}" for choice in answer.alternatives[:3])
        words = "  ".join(f"{e.text} {e.weight:+.1f}" for e in decision.evidence if e.task == task)
        label = " › ".join(answer.path) if isinstance(answer, CategoryAnswer) else answer.name
        table.add_row(
            name, Text(label, style="bold cyan"), f"{answer.confidence:.2f}", Text(others, style="dim"), words
        )
    return table


def _route(decision: Decision) -> Text:
    route = decision.route
    told = f"先到 {route.start} → 由 {route.unit} 办理 · {route.mode} · {route.way} · 期限 {route.due}"
    helped = f" · 协同 {'、'.join(route.support)}" if route.support else ""
    return Text(told + helped)


def _verdict(decision: Decision) -> Panel:
    lines = decision.reasons or ["可以直接派单"]
    style, title = ("yellow", "需要人工") if decision.needs_human else ("green", "可自动")
    return Panel(Text("\n".join(lines)), title=title, border_style=style, expand=False)
