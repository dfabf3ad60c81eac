"""Red lines: the closed list of emergencies, found by words that stand together in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from nlp.errors import RefusedData
from nlp.files import DATA, read_toml
from nlp.hashing import Table, keys_of
from nlp.text import Texts

SENTENCE_ENDS = "。!?;\n"
RULES = DATA / "redlines.toml"


class Hit(NamedTuple):
    """A word of a rule or an excuse: `start:end` in its sentence, and the groups it belongs to."""

    start: int
    end: int
    groups: tuple[str, ...]


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


def spelled(pattern: str) -> Iterator[str]:
    """The words of a pattern, in which `[塌垮]` stands for any one of its characters."""
    parts = re.split(r"\[(.+?)\]", pattern)
    return map("".join, product(*(part if number % 2 else [part] for number, part in enumerate(parts))))


def by_opening(words: Set[str]) -> dict[str, tuple[str, ...]]:
    """The first two characters of every word → the words that open so."""
    openings: dict[str, list[str]] = {}
    for word in sorted(words):
        openings.setdefault(word[:2], []).append(word)
    return {opening: tuple(held) for opening, held in openings.items()}


class RedLines:
    """The rules of a file, asked of whole batches with one automaton."""

    def __init__(self, path: Path = RULES) -> None:
        data = read_toml(path)
        try:
            self._groups = {
                group: sorted({word for pattern in patterns for word in spelled(pattern)})
                for group, patterns in data["words"].items()
            }
            self._overrides, self._decoys = frozenset(data["overrides"]), frozenset(data["decoys"])
            self._calls, self._long = tuple(data["calls"]), int(data["long"])
            self._before: dict[str, int] = data["before"]
            self._brief, self._waived = int(data["brief"]), frozenset(data["waived"])
            self._rules = [
                Rule(rule["kind"], rule["name"], tuple(rule["groups"]), rule.get("near", data["near"]),
                     tuple(rule.get("anywhere", ())), tuple(rule.get("unless", data["unless"])),
                     tuple(rule.get("clear", ())), int(rule.get("within", 0)))
                for rule in data["rules"]
            ]  # fmt: skip
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RefusedData(file=path, reason=f"缺少字段 {error}") from error
        self._check(path)
        self._by_sign: dict[str, list[tuple[int, Rule]]] = {}
        for number, rule in enumerate(self._rules):
            self._by_sign.setdefault(rule.groups[0], []).append((number, rule))
        signs = {word for rule in self._rules for word in self._groups[rule.groups[0]]}
        cries = {word for group in self._calls for word in self._groups[group]}
        self._signs, self._cries = by_opening(signs), by_opening(cries)
        pairs = sorted(self._signs.keys() | self._cries.keys())
        self._pairs = Table(keys_of(pairs))
        self._words_of_two = np.array([pair in signs or pair in cries for pair in pairs])
        self._threes = Table(keys_of(sorted({word[:3] for word in signs | cries if len(word) > 2})))
        self._words = self._automaton()

    def _check(self, path: Path) -> None:
        used = {group for rule in self._rules for group in (*rule.groups, *rule.anywhere, *rule.unless, *rule.clear)}
        used |= self._overrides | self._decoys | self._waived | set(self._calls) | set(self._before)
        unknown = sorted(used - set(self._groups))
        if unknown:
            raise RefusedData(file=path, reason=f"没有这些词组：{'、'.join(unknown)}")
        sought = {rule.groups[0] for rule in self._rules} | set(self._calls)
        short = sorted(word for group in sought for word in self._groups[group] if len(word) < 2)
        if short:
            raise RefusedData(file=path, reason=f"首组和呼救的词至少两个字：{'、'.join(short)}")

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
        """The red line of each petition that touches one, by its number in the batch.

        A petition longer than `long` counts only where a word of a `calls` group stands in it.
        """
        bounds = texts.bounds[::2]
        signs, cries = self._where(texts)
        rows = np.searchsorted(bounds, signs, side="right") - 1
        heard = np.diff(bounds) <= self._long
        heard[np.searchsorted(bounds, cries, side="right") - 1] = True
        ends = np.flatnonzero(sum(texts.codes == ord(mark) for mark in SENTENCE_ENDS))
        sentences, first = np.unique(np.searchsorted(ends, signs[heard[rows]]), return_index=True)
        starts = np.concatenate(([0], ends + 1))[sentences]
        spans = zip(rows[heard[rows]][first].tolist(), starts.tolist(), ends[sentences].tolist(), strict=True)
        found: dict[int, RedLine] = {}
        for row, start, end in spans:
            if row not in found:
                line = self._line(texts.whole[start:end], texts.whole[bounds[row] : bounds[row + 1]])
                if line:
                    found[row] = line
        return found

    def _where(self, texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where words of first groups and of calls stand: by whole arrays for two and three characters, then all."""
        whole = texts.whole
        columns = self._pairs.columns(texts.hashes.grams(2))
        places = np.flatnonzero(columns >= 0)
        threes = texts.hashes.stretches(places, np.minimum(places + 3, len(whole)))
        places = places[self._words_of_two[columns[places]] | (self._threes.columns(threes) >= 0)]
        shown: list[int] = []
        heard: list[int] = []
        for at in places.tolist():
            opening = whole[at : at + 2]
            if whole.startswith(self._signs.get(opening, ()), at):
                shown.append(at)
            if whole.startswith(self._cries.get(opening, ()), at):
                heard.append(at)
        return np.array(shown, np.int64), np.array(heard, np.int64)

    def _line(self, sentence: str, petition: str) -> RedLine | None:
        """The first rule that holds in one sentence of a petition."""
        found = list(self._words.iter(sentence))
        rules = self._complete({group for _, (_, groups) in found for group in groups}, len(petition))
        if not rules:
            return None
        hits = self._unmasked([Hit(end + 1 - size, end + 1, groups) for end, (size, groups) in found])
        present = {group for hit in hits for group in hit.groups}
        rules = [rule for rule in rules if present.issuperset(rule.groups) and not self._excused(rule, present)]
        held = {group for _, (_, groups) in self._words.iter(petition) for group in groups} if rules else set()
        for rule in rules:
            words = self._told(rule, held, len(petition)) and self._together(rule, hits)
            if words:
                return RedLine(rule.kind, rule.name, tuple(sentence[hit.start : hit.end] for hit in words))
        return None

    def _complete(self, present: set[str], size: int) -> list[Rule]:
        """The rules for petitions of a size all of whose groups are present, in the file's order."""
        numbered = [pair for group in present & self._by_sign.keys() for pair in self._by_sign[group]]
        numbered.sort(key=itemgetter(0))
        return [rule for _, rule in numbered if present.issuperset(rule.groups) and not 0 < rule.within < size]

    def _unmasked(self, hits: list[Hit]) -> list[Hit]:
        """The hits without those inside a decoy, a longer word that means something else."""
        decoys = [hit for hit in hits if not self._decoys.isdisjoint(hit.groups)]
        return [hit for hit in hits if not any(decoy.start <= hit.start and hit.end <= decoy.end for decoy in decoys)]

    def _excused(self, rule: Rule, present: set[str]) -> bool:
        return present.isdisjoint(self._overrides) and not present.isdisjoint(rule.unless)

    def _told(self, rule: Rule, held: set[str], size: int) -> bool:
        waived = self._waived if size <= self._brief else frozenset()
        return held.isdisjoint(rule.clear) and all(group in waived or group in held for group in rule.anywhere)

    def _together(self, rule: Rule, sentence: Sequence[Hit]) -> list[Hit]:
        """The nearest hits, one of each group, around a hit of the first group that nothing denies."""
        for first in sentence:
            if rule.groups[0] not in first.groups or self._denied(first, sentence):
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

    def _denied(self, sign: Hit, sentence: Sequence[Hit]) -> bool:
        """Whether a word stands so close before a sign that it is not told as a fact."""
        return any(
            0 <= sign.start - hit.end <= self._before[group]
            for hit in sentence
            for group in hit.groups
            if group in self._before
        )
