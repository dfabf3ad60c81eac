"""Groups: names that stand for several categories — upper nodes of the taxonomy, and lists of a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from nlp.checked import place_of, read_table, refuse_row
from nlp.errors import RefusedData
from nlp.normalise import plain
from nlp.route.facts import Names, When
from nlp.taxonomy import TASKS, Taxonomy

W = TypeVar("W", bound=When)
NONE: Names = ("",)  # a list that no matter meets
COLUMNS = ("类别", "清单", "来源")


def short_word(words: Sequence[str]) -> str:
    """The first of some words that is read as less than two characters, or an empty string."""
    return next((word or "空" for word, read in zip(words, plain(words), strict=True) if len(read) < 2), "")


@dataclass(frozen=True)
class Groups:
    """The names in use. lists: further names → their categories."""

    taxonomy: Taxonomy
    lists: Mapping[str, Names]

    def with_list(self, path: Path, *, strict: bool = False) -> Groups:
        """These groups and those of a table of categories; raises `RefusedData`.

        strict: a category that the taxonomy does not hold is refused.
        """
        lists: dict[str, Names] = dict(self.lists)
        for line, row in read_table(path, COLUMNS):
            if strict and row["类别"] not in self.taxonomy.codes("category"):
                raise refuse_row(path, line, "类别", f"分类体系里没有 {row['类别']}")
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

    def check(self, path: Path, table: str, rules: Sequence[When]) -> None:
        """Raise `RefusedData` for the first rule of a table with a code or a group that is not known."""
        for number, rule in enumerate(rules):
            if lost := self.unknown(rule):
                raise RefusedData(file=place_of(path, (table, number)), reason=f"分类体系里没有 {lost}")

    @staticmethod
    def check_words(path: Path, table: str, rules: Sequence[When]) -> None:
        """Raise `RefusedData` for the first rule with a word of less than two characters: it would stand everywhere."""
        for number, rule in enumerate(rules):
            if short := short_word(rule.words):
                raise RefusedData(file=place_of(path, (table, number, "words")), reason=f"“{short}”不足两个字")

    def check_codes(self, path: Path, location: Sequence[str | int], task: str, codes: Iterable[str]) -> None:
        """Raise `RefusedData` for the first of some codes that a task does not hold."""
        if lost := next((code for code in codes if code not in self.taxonomy.codes(task)), ""):
            raise RefusedData(file=place_of(path, location), reason=f"分类体系里没有 {lost}")
