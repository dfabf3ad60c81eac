"""The vocabulary: hashed stretches of code points → columns of the feature matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlp.text import Codes, code_points

Keys = NDArray[np.uint64]
Columns = NDArray[np.int32]

STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse modulo 2**64
BACK = np.uint64(pow(int(STEP), -1, 2**64))
WORD_SALT = np.uint64(0xD6E8FEB86659FD93)
SCRAMBLE = np.uint64(0xFF51AFD7ED558CCD)  # the first multiplier of MurmurHash3's finaliser
EMPTY = np.uint64(0)
LOAD = 4  # slots for each key: one probe answers nearly always


class Hashes:
    """Hashes of any stretch of a buffer in constant time: prefix sums of code · STEP**position."""

    def __init__(self, codes: Codes) -> None:
        positions = len(codes)
        powers = np.full(positions + 1, STEP, np.uint64)
        powers[0] = 1
        self._codes = scrambled(codes)
        self._inverse = np.full(positions + 1, BACK, np.uint64)
        self._inverse[0] = 1
        np.multiply.accumulate(powers, out=powers)
        np.multiply.accumulate(self._inverse, out=self._inverse)
        self._sums = np.zeros(positions + 1, np.uint64)
        np.cumsum(self._codes * powers[:-1], out=self._sums[1:])

    def stretches(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> Keys:
        """The hash of each stretch `start:end`, whatever its place."""
        hashes: Keys = (self._sums[end] - self._sums[start]) * self._inverse[start]
        return hashes

    def grams(self, size: int) -> Keys:
        """The hash of each run of `size` code points, by first position."""
        count = max(0, len(self._codes) - size + 1)
        result: Keys = self._codes[:count].copy()
        for offset in range(1, size):
            result += self._codes[offset : offset + count] * np.uint64(pow(int(STEP), offset, 2**64))
        return result


def scrambled(codes: Codes) -> Keys:
    """Code points spread over 64 bits, so that sums of them do not meet."""
    wide = codes.astype(np.uint64) + np.uint64(1)
    wide *= SCRAMBLE
    wide ^= wide >> np.uint64(29)
    wide *= STEP
    return wide


@dataclass(frozen=True)
class Vocabulary:
    """The known words and character runs; a feature's column is its place in words + grams."""

    words: tuple[str, ...]
    grams: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words) + len(self.grams)

    def text(self, column: int) -> str:
        """The word or the run of characters that a column stands for."""
        return (self.words + self.grams)[column]

    @cached_property
    def keys(self) -> Keys:
        """The key of every column; words and runs of the same characters have different keys."""
        keys = np.concatenate((keys_of(self.words) ^ WORD_SALT, keys_of(self.grams)))
        if len(np.unique(keys)) < len(keys) or (keys == EMPTY).any():
            raise ValueError("two features of the vocabulary share a key")
        return keys

    @cached_property
    def table(self) -> Table:
        """The look-up table of the keys."""
        return Table(self.keys)


def keys_of(strings: Sequence[str]) -> Keys:
    """The hash of every string."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    ends = np.cumsum(lengths)
    return Hashes(code_points("".join(strings))).stretches(ends - lengths, ends)


class Table:
    """An open-addressing hash table with linear probing, filled and asked by whole arrays."""

    def __init__(self, keys: Keys) -> None:
        bits = max(4, int(np.ceil(np.log2(max(1, len(keys)) * LOAD))))
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._keys = np.full(1 << bits, EMPTY, np.uint64)
        self._columns = np.full(1 << bits, -1, np.int32)
        waiting = np.arange(len(keys))
        slots = self._slots(keys)
        while len(waiting):
            free = self._keys[slots] == EMPTY
            self._keys[slots[free]] = keys[waiting[free]]
            placed = self._keys[slots] == keys[waiting]
            self._columns[slots[placed]] = waiting[placed]
            waiting, slots = waiting[~placed], (slots[~placed] + 1) & self._mask

    def _slots(self, keys: Keys) -> NDArray[np.int64]:
        return ((keys * STEP) >> self._shift).astype(np.int64)

    def columns(self, keys: Keys) -> Columns:
        """The column of each key, -1 for those not in the vocabulary."""
        slots = self._slots(keys)
        held = self._keys[slots]
        columns: Columns = self._columns[slots]
        wrong = np.flatnonzero(held != keys)
        columns[wrong] = -1
        waiting = wrong[held[wrong] != EMPTY]
        step = 1
        while len(waiting):
            slot = (slots[waiting] + step) & self._mask
            held = self._keys[slot]
            found = held == keys[waiting]
            columns[waiting[found]] = self._columns[slot[found]]
            waiting = waiting[~found & (held != EMPTY)]
            step += 1
        return columns
