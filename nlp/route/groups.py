"""Groups: names that stand for several categories — upper nodes of the taxonomy, and lists of a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from nlp.checked import read_table
from nlp.route.facts import Names, When
from nlp.taxonomy import TASKS, Taxonomy

W = TypeVar("W", bound=When)
NONE: Names = ("",)  # a list that no matter meets
COLUMNS = ("类别", "清单", "来源")


@dataclass(frozen=True)
class Groups:
    """The names in use. lists: further names → their categories."""

    taxonomy: Taxonomy
    lists: Mapping[str, Names]

    def with_list(self, path: Path) -> Groups:
        """These groups and those of a table of categories; raises `RefusedData`."""
        lists: dict[str, Names] = dict(self.lists)
        for _, row in read_table(path, COLUMNS):
            lists[row["清单"]] = (*lists.get(row["清单"], ()), row["类别"])
        return Groups(self.taxonomy, lists)

    @cached_property
    def _known(self) -> Mapping[str, Names]:
        below: dict[str, Names] = {}
        for code, path in self.taxonomy.paths.items():
            for name in path[:-1]:
                below[name] = (*below.get(name, ()), code)
        return below | dict(self.lists)

    def spread(self, rule: W) -> W:
        """A rule with its `parent` written out as categories."""
        if not rule.parent:
            return rule
        meant = [code for name in rule.parent for code in self._known.get(name, ())]
        return replace(rule, parent=(), category=(*rule.category, *meant) or NONE)

    def unknown(self, rule: When) -> str:
        """The first code or group of a rule that is not known, or an empty string."""
        asked = [(code, self.taxonomy.codes(task)) for task in TASKS for code in getattr(rule, task)]
        asked += [(name, list(self._known)) for name in rule.parent]
        return next((code for code, known in asked if code not in known), "")
