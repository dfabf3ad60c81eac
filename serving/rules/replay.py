"""Replay: what would change in the routes of past petitions if the catalogue changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rich.table import Table
from rich.text import Text

from nlp.decision import Matter
from nlp.dispatch import Dispatcher
from serving.rules.cases import Cases

NAMES = {"unit": "承办", "support": "协办", "tier": "层级", "clock": "时限", "due": "期限", "legal": "依据"}
EXAMPLES = 3


@dataclass(frozen=True)
class Change:
    """A matter whose route would change. before, after: unit, tier, clock, due, legal basis and helpers."""

    id: str
    matter: int
    category: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def told(self) -> tuple[str, str, str]:
        """The category, and what differs, before and after."""
        differs = [name for name in self.before if self.before[name] != self.after[name]]
        before, after = (
            "；".join(f"{NAMES[name]} {side[name] or '—'}" for name in differs) for side in (self.before, self.after)
        )
        return self.category, before, after


@dataclass
class Replay:
    """The changes of a run, counted; `examples` holds a few petitions of each kind of change."""

    petitions: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many matters would change."""
        return sum(self.counts.values())

    def add(self, change: Change) -> None:
        """Count one."""
        self.counts[change.told] += 1
        known = self.examples.setdefault(change.told, [])
        if len(known) < EXAMPLES:
            known.append(change.id)

    def table(self) -> Table:
        """The kinds of change, most frequent first."""
        table = Table(title=f"{self.petitions} 件诉求，{self.changed} 件事的派单会变")
        for name in ("类别", "现在", "改后", "件", "例"):
            table.add_column(name, overflow="fold", justify="right" if name == "件" else "left")
        for told, count in self.counts.most_common():
            table.add_row(*map(Text, told), str(count), Text("、".join(self.examples[told])))
        return table


def changes(parts: Iterable[Cases], now: Dispatcher, new: Dispatcher, profile: str, moment: datetime,
            run: Replay) -> Iterator[Change]:  # fmt: skip
    """The changes of all cases, counted in `run` on the way."""
    for cases in parts:
        before = cases.dispatch(now, profile, moment)
        after = cases.dispatch(new, profile, moment)
        run.petitions += len(cases.petitions)
        for petition, old, fresh in zip(cases.petitions, before, after, strict=True):
            for number, (mine, theirs) in enumerate(zip(old.matters, fresh.matters, strict=True)):
                sides = _side(mine), _side(theirs)
                if sides[0] != sides[1]:
                    change = Change(petition.id, number, mine.category, *sides)
                    run.add(change)
                    yield change


def _side(matter: Matter) -> dict[str, str]:
    route = matter.route
    return {
        "unit": route.unit, "support": "、".join(route.support), "tier": matter.tier, "clock": matter.clock,
        "due": route.due, "legal": route.legal,
    }  # fmt: skip
