"""Spotter: where any of many words stand in a buffer — whole arrays for their openings, a closer look at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from nlp.folding import SIZE
from nlp.hashing import Codes

T = TypeVar("T")
BITS = np.uint64(21)  # of a code point
OPENING = 3  # code points by which a longer word is sought


class Spotter(Generic[T]):
    """Words of two characters and more, each with a value.

    An automaton reads every character; arrays leave only the few places where the first two, and of longer
    words the third, are those of a word.
    """

    def __init__(self, words: Mapping[str, T]) -> None:
        self._held: dict[str, list[tuple[str, T]]] = {}
        for word in sorted(words, key=len, reverse=True):
            self._held.setdefault(word[:2], []).append((word, words[word]))
        self._first, self._second = np.zeros(SIZE, np.bool_), np.zeros(SIZE, np.bool_)
        self._first[[ord(word[0]) for word in words]] = True
        self._second[[ord(word[1]) for word in words]] = True
        self._pairs = _keys(word for word in words if len(word) == 2)
        self._threes = _keys(word[:OPENING] for word in words if len(word) > 2)

    def __bool__(self) -> bool:
        return bool(self._held)

    def places(self, codes: Codes) -> NDArray[np.int64]:
        """(m,) where words may begin, in order."""
        if not self._held or len(codes) < 2:
            return np.zeros(0, np.int64)
        places = (self._first[codes[:-1]] & self._second[codes[1:]]).nonzero()[0]
        pairs = (codes[places].astype(np.uint64) << BITS) | codes[places + 1]
        threes = (pairs << BITS) | codes[np.minimum(places + 2, len(codes) - 1)]
        kept: NDArray[np.int64] = places[_among(pairs, self._pairs) | _among(threes, self._threes)]
        return kept

    def find(self, codes: Codes, whole: str) -> Iterator[tuple[int, str, T]]:
        """Start, word and value of every word in a buffer, by start; of those that begin together the longest first."""
        held = self._held
        for start in self.places(codes).tolist():
            for word, value in held.get(whole[start : start + 2], ()):
                if whole.startswith(word, start):
                    yield start, word, value


def _keys(words: Iterator[str]) -> NDArray[np.uint64]:
    keys = set()
    for word in words:
        key = 0
        for character in word:
            key = (key << int(BITS)) | ord(character)
        keys.add(key & (2**64 - 1))
    return np.array(sorted(keys), np.uint64)


def _among(keys: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of the keys are known; `known` is sorted."""
    if not len(known):
        return np.zeros(len(keys), np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(known.searchsorted(keys), len(known) - 1)] == keys
    return found
