"""Red lines: the closed list of emergencies, found by words that stand together in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import ahocorasick
import numpy as np

from nlp.errors import RefusedData
from nlp.files import DATA, read_toml
from nlp.hashing import Table, keys_of
from nlp.text import Texts

SENTENCE_ENDS = "。!?;\n"
RULES = DATA / "redlines.toml"


class Hit(NamedTuple):
    """A word of a rule or a cue: `start:end` in the buffer, and the groups it belongs to."""

    start: int
    end: int
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """An emergency of the closed list: one word of each group, at most `near` code points apart.

    groups: names of word groups, in any order in the text, the rarest first, since only sentences
    with a word of a first group are looked at; unless: groups that, in the same
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


def apart(one: Hit, other: Hit) -> int:
    """How many code points lie between two hits; negative where they overlap."""
    return max(other.start - one.end, one.start - other.end)


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
        self._openings = self._signs()
        self._table = Table(keys_of(list(self._openings)))
        self._words = self._automaton()

    def _signs(self) -> dict[str, tuple[str, ...]]:
        """The first two characters of every word of a first group → those words."""
        words = {word for rule in self._rules for word in self._groups[rule.groups[0]]}
        openings: dict[str, list[str]] = {}
        for word in sorted(words):
            openings.setdefault(word[:2], []).append(word)
        return {opening: tuple(held) for opening, held in openings.items()}

    def _check(self, path: Path) -> None:
        used = {group for rule in self._rules for group in (*rule.groups, *rule.unless)} | set(self._overrides)
        short = sorted(word for rule in self._rules for word in self._groups.get(rule.groups[0], ()) if len(word) < 2)
        if short:
            raise RefusedData(file=path, reason=f"首组的词至少两个字：{'、'.join(short)}")
        unknown = sorted(used - set(self._groups))
        if unknown:
            raise RefusedData(file=path, reason=f"没有这些词组：{'、'.join(unknown)}")

    def _automaton(self) -> ahocorasick.Automaton:
        """All words, each with its length and the groups that hold it."""
        held: dict[str, list[str]] = {}
        for group, words in self._groups.items():
            for word in words:
                held.setdefault(word, []).append(group)
        automaton = ahocorasick.Automaton()
        for word, groups in held.items():
            automaton.add_word(word, (len(word), tuple(groups)))
        automaton.make_automaton()
        return automaton

    def find(self, texts: Texts) -> dict[int, RedLine]:
        """The red line of each petition that touches one, by its number in the batch."""
        ends = np.flatnonzero(sum(texts.codes == ord(mark) for mark in SENTENCE_ENDS))
        sentences = np.unique(np.searchsorted(ends, self._where(texts)))
        starts = np.concatenate(([0], ends + 1))[sentences]
        rows = (np.searchsorted(texts.bounds, starts, side="right") - 1) >> 1
        found: dict[int, RedLine] = {}
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends[sentences].tolist(), strict=True):
            if row not in found:
                line = self._line(texts.whole[start:end])
                if line:
                    found[row] = line
        return found

    def _where(self, texts: Texts) -> list[int]:
        """Where a word of a first group stands: by whole arrays for two characters, then letter by letter."""
        whole = texts.whole
        places = np.flatnonzero(self._table.columns(texts.hashes.grams(2)) >= 0)
        return [at for at in places.tolist() if whole.startswith(self._openings[whole[at : at + 2]], at)]

    def _line(self, sentence: str) -> RedLine | None:
        """The first rule that holds in one sentence."""
        hits = [Hit(end + 1 - size, end + 1, groups) for end, (size, groups) in self._words.iter(sentence)]
        present = {group for hit in hits for group in hit.groups}
        for rule in self._rules:
            if present.issuperset(rule.groups) and not self._excused(rule, present):
                words = self._together(rule, hits)
                if words:
                    return RedLine(rule.kind, rule.name, tuple(sentence[hit.start : hit.end] for hit in words))
        return None

    def _excused(self, rule: Rule, present: set[str]) -> bool:
        return present.isdisjoint(self._overrides) and not present.isdisjoint(rule.unless)

    @staticmethod
    def _together(rule: Rule, sentence: Sequence[Hit]) -> list[Hit]:
        """The nearest hits, one of each group, around a hit of the first group."""
        for first in sentence:
            if rule.groups[0] not in first.groups:
                continue
            chosen = [first]
            for group in rule.groups[1:]:
                close = [hit for hit in sentence if group in hit.groups and apart(first, hit) <= rule.near]
                if not close:
                    break
                chosen.append(min(close, key=lambda h: abs(h.start - first.start)))
            else:
                return sorted(chosen)
        return []
