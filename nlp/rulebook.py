"""The rulebook of the red lines: its words in groups, its rules, and what excuses them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import Any

from nlp.errors import RefusedData
from nlp.files import DATA, read_toml

RULES = DATA / "redlines.toml"


@dataclass(frozen=True)
class Rule:
    """An emergency of the closed list: one word of each group, at most `near` code points from the first.

    groups: names of word groups, in any order in the sentence; the words of the first show the emergency,
    and only sentences with one of them are looked at; anywhere: groups that must each have a word
    somewhere in the petition, those of `waived` only in one longer than `brief`; unless: groups
    that, in the same sentence, make it past, feared, rehearsed or a matter of money; clear: groups of
    which no word may stand anywhere; within: only petitions no longer than this, 0 for all.
    """

    kind: str
    name: str
    groups: tuple[str, ...]
    near: int
    anywhere: tuple[str, ...]
    unless: tuple[str, ...]
    clear: tuple[str, ...] = ()
    within: int = 0


def spelled(pattern: str) -> Iterator[str]:
    """The words of a pattern, in which `[塌垮]` stands for any one of its characters."""
    parts = re.split(r"\[(.+?)\]", pattern)
    return map("".join, product(*(part if number % 2 else [part] for number, part in enumerate(parts))))


@dataclass(frozen=True)
class Rulebook:
    """The rules in the order of their file, and the words that they speak of.

    words: group → its words. overrides: groups that undo an excuse. decoys: groups of longer words that mean
    something else. calls: groups of which a petition longer than `long` must hold a word. before: group → how
    many code points before a sign a word of it denies the sign. waived: groups that a petition no longer than
    `brief` need not hold.
    """

    words: Mapping[str, list[str]]
    rules: tuple[Rule, ...]
    overrides: frozenset[str]
    decoys: frozenset[str]
    calls: tuple[str, ...]
    long: int
    before: Mapping[str, int]
    brief: int
    waived: frozenset[str]

    @staticmethod
    def read(path: Path = RULES) -> Rulebook:
        """The rulebook of a file; raises `RefusedData` where a field, a group or a word of it cannot be used."""
        data = read_toml(path)
        try:
            book = Rulebook(
                words={
                    group: sorted({word for pattern in patterns for word in spelled(pattern)})
                    for group, patterns in data["words"].items()
                },
                rules=tuple(_rule(rule, data) for rule in data["rules"]),
                overrides=frozenset(data["overrides"]), decoys=frozenset(data["decoys"]),
                calls=tuple(data["calls"]), long=int(data["long"]),
                before=dict(data["before"]), brief=int(data["brief"]), waived=frozenset(data["waived"]),
            )  # fmt: skip
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RefusedData(file=path, reason=f"缺少字段 {error}") from error
        if unknown := sorted(book.used - set(book.words)):
            raise RefusedData(file=path, reason=f"没有这些词组：{'、'.join(unknown)}")
        if short := sorted(word for word in book.signs | book.cries if len(word) < 2):
            raise RefusedData(file=path, reason=f"首组和呼救的词至少两个字：{'、'.join(short)}")
        return book

    @property
    def used(self) -> Set[str]:
        """The groups that anything speaks of."""
        spoken = {group for rule in self.rules for group in (*rule.groups, *rule.anywhere, *rule.unless, *rule.clear)}
        return spoken | self.overrides | self.decoys | self.waived | set(self.calls) | set(self.before)

    @cached_property
    def signs(self) -> Set[str]:
        """The words of the first groups, which show an emergency."""
        return {word for rule in self.rules for word in self.words[rule.groups[0]]}

    @cached_property
    def cries(self) -> Set[str]:
        """The words of the groups that call for help."""
        return {word for group in self.calls for word in self.words[group]}

    @cached_property
    def _by_sign(self) -> Mapping[str, list[tuple[int, Rule]]]:
        numbered: dict[str, list[tuple[int, Rule]]] = {}
        for number, rule in enumerate(self.rules):
            numbered.setdefault(rule.groups[0], []).append((number, rule))
        return numbered

    def complete(self, present: set[str], size: int) -> list[Rule]:
        """The rules for petitions of a size all of whose groups are present in a sentence, in the file's order."""
        numbered = [pair for group in present & self._by_sign.keys() for pair in self._by_sign[group]]
        numbered.sort(key=itemgetter(0))
        return [rule for _, rule in numbered if present.issuperset(rule.groups) and not 0 < rule.within < size]

    def standing(self, rules: list[Rule], present: set[str]) -> list[Rule]:
        """Those of the rules whose groups are still present and that nothing in the sentence excuses."""
        serious = not present.isdisjoint(self.overrides)
        return [
            rule for rule in rules
            if present.issuperset(rule.groups) and (serious or present.isdisjoint(rule.unless))
        ]  # fmt: skip

    def borne_out(self, rule: Rule, held: set[str], size: int) -> bool:
        """Whether a whole petition of a size, in which the groups `held` stand, lets a rule hold."""
        waived = self.waived if size <= self.brief else frozenset()
        return held.isdisjoint(rule.clear) and all(group in waived or group in held for group in rule.anywhere)


def _rule(rule: Mapping[str, Any], data: Mapping[str, Any]) -> Rule:
    return Rule(
        rule["kind"], rule["name"], tuple(rule["groups"]), rule.get("near", data["near"]),
        tuple(rule.get("anywhere", ())), tuple(rule.get("unless", data["unless"])),
        tuple(rule.get("clear", ())), int(rule.get("within", 0)),
    )  # fmt: skip
