"""Red lines: the closed list of emergencies, found by words that stand together in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import ahocorasick

from nlp.errors import RefusedData
from nlp.files import DATA, read_toml
from nlp.text import Texts

SENTENCE = re.compile(r"[。!?;\n…]")
RULES = DATA / "redlines.toml"


class Hit(NamedTuple):
    """A word of a rule or a cue: `start:end` in the buffer, and the groups it belongs to."""

    start: int
    end: int
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """An emergency of the closed list: one word of each group, at most `near` code points apart.

    groups: names of word groups, in any order in the text; unless: groups that, in the same
    sentence, make it past, feared, rehearsed or a matter of money.
    """

    kind: str
    name: str
    groups: tuple[str, ...]
    near: int
    unless: tuple[str, ...]


@dataclass(frozen=True)
class RedLine:
    """An emergency found in a petition, with the words that showed it."""

    kind: str
    name: str
    words: tuple[str, ...]

    @cached_property
    def reason(self) -> str:
        """One line for people: which rule, by which words."""
        return f"红线规则 {self.kind}（{self.name}）：“{'…'.join(self.words)}”，时限升为紧急"


class RedLines:
    """The rules of a file, asked of whole batches with one automaton."""

    def __init__(self, path: Path = RULES) -> None:
        data = read_toml(path)
        try:
            self._groups: dict[str, list[str]] = data["words"]
            self._overrides = tuple(data["overrides"])
            self._rules = [
                Rule(rule["kind"], rule["name"], tuple(rule["groups"]), rule.get("near", data["near"]),
                     tuple(rule.get("unless", data["unless"])))
                for rule in data["rules"]
            ]  # fmt: skip
        except (KeyError, TypeError) as error:
            raise RefusedData(file=path, reason=f"缺少字段 {error}") from error
        self._check(path)
        self._automaton = self._build()

    def _check(self, path: Path) -> None:
        used = {group for rule in self._rules for group in (*rule.groups, *rule.unless)} | set(self._overrides)
        unknown = sorted(used - set(self._groups))
        if unknown:
            raise RefusedData(file=path, reason=f"没有这些词组：{'、'.join(unknown)}")

    def _build(self) -> ahocorasick.Automaton:
        groups: dict[str, list[str]] = {}
        for group, words in self._groups.items():
            for word in words:
                groups.setdefault(word, []).append(group)
        automaton = ahocorasick.Automaton()
        for word, names in groups.items():
            automaton.add_word(word, (len(word), tuple(names)))
        automaton.make_automaton()
        return automaton

    def find(self, texts: Texts) -> dict[int, RedLine]:
        """The red line of each petition that touches one, by its number in the batch."""
        signs = {rule.groups[0] for rule in self._rules}
        hits = [Hit(end + 1 - size, end + 1, names) for end, (size, names) in self._automaton.iter(texts.whole)]
        rows = [texts.field(hit.start) for hit in hits if not signs.isdisjoint(hit.groups)]
        suspects = sorted({row >> 1 for row in rows})
        by_field: dict[int, list[Hit]] = {}
        for hit in hits:
            by_field.setdefault(texts.field(hit.start), []).append(hit)
        found: dict[int, RedLine] = {}
        for row in suspects:
            line = next(self._lines(texts, by_field.get(2 * row, []) + by_field.get(2 * row + 1, [])), None)
            if line:
                found[row] = line
        return found

    def _lines(self, texts: Texts, hits: Sequence[Hit]) -> Iterator[RedLine]:
        for sentence in self._sentences(texts.whole, hits):
            present = {group for hit in sentence for group in hit.groups}
            for rule in self._rules:
                if present.issuperset(rule.groups) and not self._excused(rule, present):
                    words = self._together(rule, sentence)
                    if words:
                        yield RedLine(rule.kind, rule.name, tuple(texts.whole[h.start : h.end] for h in words))

    def _excused(self, rule: Rule, present: set[str]) -> bool:
        return present.isdisjoint(self._overrides) and not present.isdisjoint(rule.unless)

    @staticmethod
    def _sentences(whole: str, hits: Sequence[Hit]) -> Iterator[list[Hit]]:
        sentence: list[Hit] = []
        for hit in hits:
            if sentence and SENTENCE.search(whole, sentence[-1].start, hit.start):
                yield sentence
                sentence = []
            sentence.append(hit)
        if sentence:
            yield sentence

    @staticmethod
    def _together(rule: Rule, sentence: Sequence[Hit]) -> list[Hit]:
        """The nearest hits, one of each group, around a hit of the first group."""
        for first in sentence:
            if rule.groups[0] not in first.groups:
                continue
            chosen = [first]
            for group in rule.groups[1:]:
                close = [h for h in sentence if group in h.groups and h.start - first.end <= rule.near and first.start - h.end <= rule.near]
                if not close:
                    break
                chosen.append(min(close, key=lambda h: abs(h.start - first.start)))
            else:
                return sorted(chosen)
        return []
