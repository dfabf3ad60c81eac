"""Red lines: the closed list of emergencies, found by words that stand together in one sentence."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from nlp.hashing import Table, keys_of
from nlp.rulebook import RULES, Rule, Rulebook
from nlp.text import Texts

SENTENCE_ENDS = "。!?;\n"
RED_LINE_REASON = "红线规则"  # how the reason of a decision begins that a red line made urgent


class Hit(NamedTuple):
    """A word of a rule or an excuse: `start:end` in its sentence, and the groups it belongs to."""

    start: int
    end: int
    groups: tuple[str, ...]


@dataclass(frozen=True)
class RedLine:
    """An emergency found in a petition, with the words that showed it, and where they stand in the buffer."""

    kind: str
    name: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    @cached_property
    def reason(self) -> str:
        """One line for people: which rule, by which words."""
        return f"{RED_LINE_REASON} {self.kind}（{self.name}）：“{'…'.join(self.words)}”，时限升为紧急"


def apart(one: Hit, other: Hit) -> int:
    """How many code points lie between two hits; negative where they overlap."""
    return max(other.start - one.end, one.start - other.end)


def by_opening(words: Set[str]) -> dict[str, tuple[str, ...]]:
    """The first two characters of every word → the words that open so."""
    openings: dict[str, list[str]] = {}
    for word in sorted(words):
        openings.setdefault(word[:2], []).append(word)
    return {opening: tuple(held) for opening, held in openings.items()}


class RedLines:
    """The rules of a file, asked of whole batches with one automaton."""

    def __init__(self, path: Path = RULES) -> None:
        self._book = Rulebook.read(path)
        signs, cries = self._book.signs, self._book.cries
        self._signs, self._cries = by_opening(signs), by_opening(cries)
        pairs = sorted(self._signs.keys() | self._cries.keys())
        self._pairs = Table(keys_of(pairs))
        self._words_of_two = np.array([pair in signs or pair in cries for pair in pairs])
        self._threes = Table(keys_of(sorted({word[:3] for word in signs | cries if len(word) > 2})))
        self._words = self._automaton()

    def _automaton(self) -> ahocorasick.Automaton:
        """All words, each with its length and the groups that hold it."""
        held: dict[str, list[str]] = {}
        for group, words in self._book.words.items():
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
        heard = np.diff(bounds) <= self._book.long
        heard[np.searchsorted(bounds, cries, side="right") - 1] = True
        ends = np.flatnonzero(sum(texts.codes == ord(mark) for mark in SENTENCE_ENDS))
        sentences, first = np.unique(np.searchsorted(ends, signs[heard[rows]]), return_index=True)
        starts = np.concatenate(([0], ends + 1))[sentences]
        spans = zip(rows[heard[rows]][first].tolist(), starts.tolist(), ends[sentences].tolist(), strict=True)
        found: dict[int, RedLine] = {}
        for row, start, end in spans:
            if row not in found:
                line = self._line(start, texts.whole[start:end], texts.whole[bounds[row] : bounds[row + 1]])
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

    def _line(self, start: int, sentence: str, petition: str) -> RedLine | None:
        """The first rule that holds in one sentence of a petition; start: where it begins in the buffer."""
        size, hits = len(petition), self._hits(sentence)
        rules = self._book.complete(_groups(hits), size)
        if rules:
            hits = self._unmasked(hits)
            rules = self._book.standing(rules, _groups(hits))
        held = _groups(self._hits(petition)) if rules else set()
        for rule in rules:
            words = self._together(rule, hits) if self._book.borne_out(rule, held, size) else []
            if words:
                spans = tuple((start + hit.start, start + hit.end) for hit in words)
                return RedLine(rule.kind, rule.name, tuple(sentence[hit.start : hit.end] for hit in words), spans)
        return None

    def _hits(self, text: str) -> list[Hit]:
        return [Hit(end + 1 - size, end + 1, groups) for end, (size, groups) in self._words.iter(text)]

    def _unmasked(self, hits: list[Hit]) -> list[Hit]:
        """The hits without those inside a decoy, a longer word that means something else."""
        decoys = [hit for hit in hits if not self._book.decoys.isdisjoint(hit.groups)]
        return [hit for hit in hits if not any(decoy.start <= hit.start and hit.end <= decoy.end for decoy in decoys)]

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
            0 <= sign.start - hit.end <= self._book.before[group]
            for hit in sentence
            for group in hit.groups
            if group in self._book.before
        )


def _groups(hits: Sequence[Hit]) -> set[str]:
    return {group for hit in hits for group in hit.groups}
