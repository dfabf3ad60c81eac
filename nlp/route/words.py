"""Words: which of the words that rules ask for stand in each petition of a batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nlp.normalise import plain
from nlp.spotter import Spotter
from nlp.text import Texts

Held = list[tuple[int, str]]
"""Where in the buffer a word begins, and the word as the rules spell it."""


class Words:
    """The words of all rules, sought together."""

    def __init__(self, words: Iterable[str]) -> None:
        spelled = sorted(set(words))
        held: dict[str, list[str]] = {}
        for word, written in zip(plain(spelled), spelled, strict=True):
            held.setdefault(word, []).append(written)
        self._spotter = Spotter(held)

    def find(self, texts: Texts) -> dict[int, Held]:
        """The petitions (a title and a text each) that hold any of the words, and which."""
        hits = list(self._spotter.find(texts.codes, texts.whole))
        rows = np.searchsorted(texts.bounds[::2], [start for start, _, _ in hits], side="right") - 1
        found: dict[int, Held] = {}
        for row, (start, _, spellings) in zip(rows.tolist(), hits, strict=True):
            found.setdefault(row, []).extend((start, word) for word in spellings)
        return found


def between(held: Held, start: int, end: int) -> frozenset[str]:
    """The words that begin in a stretch of the buffer."""
    return frozenset(word for place, word in held if start <= place < end)
