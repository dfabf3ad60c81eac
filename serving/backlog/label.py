"""The old label of a row: one text, its levels joined, whatever columns and strokes an office writes it with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from corpora.rows.cell import text
from corpora.rows.row import Row
from nlp.decision import CategoryAnswer
from serving.backlog.plan import Plan

SEPARATOR = re.compile(r"\s*(?:[-－—=]+[>＞]|[>＞→/／\\])\s*")  # what people type between the levels of a path
LONGEST = 120  # characters; a longer one is a text in the wrong column
NUMBER = re.compile(r"[0-9Xx]{11,}")  # of a phone or a person
CACHED = 4096
LONG, HIDDEN = "（过长，不像标签）", "（号码）"


class Labels:
    """Reads cells of a plan's rows as text."""

    def __init__(self, plan: Plan) -> None:
        self._places = {role: plan.places(role) for role in plan.roles}

    def old(self, row: Row) -> str:
        """The old label, empty where there is none."""
        return self.word(row, "category")

    def word(self, row: Row, role: str) -> str:
        """What stands in the columns of a role, tidy; empty where it has none."""
        return tidy(tuple(_cell(row.cells, place) for place in self._places.get(role, ())))

    def cell(self, row: Row, role: str) -> str:
        """What stands in the first column of a role, as it is; empty where it has none."""
        places = self._places.get(role, ())
        return _cell(row.cells, places[0]) if places else ""


@lru_cache(CACHED)  # the same few come again and again
def tidy(levels: tuple[str, ...]) -> str:
    """Levels as one label with one kind of stroke between them; never a whole text or the number of a person."""
    label = "/".join(filter(None, levels))
    if len(label) > LONGEST:
        return LONG
    return NUMBER.sub(HIDDEN, "/".join(filter(None, SEPARATOR.split(label))))


def same(old: str, answer: CategoryAnswer) -> bool:
    """Whether an old label is the decided category: its code, its name, or its path."""
    return old in (answer.code, answer.name) or old == tidy(tuple(answer.path))


def _cell(cells: Sequence[object], place: int) -> str:
    return text(cells[place]).strip() if place < len(cells) else ""
