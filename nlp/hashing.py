"""Hash stretches of code points, and look whole arrays of them up at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Keys = NDArray[np.uint64]
Columns = NDArray[np.int32]

STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse modulo 2**64
BACK = np.uint64(pow(int(STEP), -1, 2**64))
SCRAMBLE = np.uint64(0xFF51AFD7ED558CCD)  # the first multiplier of MurmurHash3's finaliser
LARGEST = 1 << 19  # code points of a buffer whose powers are kept for the next
EMPTY = np.uint64(0)
LOAD = 4  # slots for each key: one probe answers nearly always


class Hashes:
    """Hashes of any stretch of a buffer in constant time: prefix sums of code · STEP**position."""

    def __init__(self, codes: Codes) -> None:
        size = 1 << max(10, len(codes).bit_length())
        powers, self._inverse = ladders(size) if size <= LARGEST else ladders.__wrapped__(size)
        self._codes = scrambled(codes)
        self._grams: dict[int, Keys] = {}
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(self._codes * powers[: len(codes)], out=self._sums[1:])

    def stretches(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> Keys:
        """The hash of each stretch `start:end`, whatever its place."""
        hashes: Keys = (self._sums[end] - self._sums[start]) * self._inverse[start]
        return hashes

    def grams(self, size: int) -> Keys:
        """The hash of each run of `size` code points, by first position."""
        if size not in self._grams:
            self._grams[size] = self._summed(size)
        return self._grams[size]

    def _summed(self, size: int) -> Keys:
        count = max(0, len(self._codes) - size + 1)
        result: Keys = self._codes[:count].copy()
        for offset in range(1, size):
            result += self._codes[offset : offset + count] * np.uint64(pow(int(STEP), offset, 2**64))
        return result


@lru_cache(maxsize=12)
def ladders(size: int) -> tuple[Keys, Keys]:
    """The first `size` powers of STEP and of its inverse, modulo 2**64."""
    rungs = []
    for base in (STEP, BACK):
        powers = np.full(size, base, np.uint64)
        powers[0] = 1
        rungs.append(np.multiply.accumulate(powers))
    return rungs[0], rungs[1]


def scrambled(codes: Codes) -> Keys:
    """Code points spread over 64 bits, so that sums of them do not meet."""
    wide = codes.astype(np.uint64) + np.uint64(1)
    wide *= SCRAMBLE
    wide ^= wide >> np.uint64(29)
    wide *= STEP
    return wide


def keys_of(strings: Sequence[str]) -> Keys:
    """The hash of every string."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    ends = np.cumsum(lengths)
    return Hashes(np.frombuffer("".join(strings).encode("utf-32-le"), dtype="<u4")).stretches(ends - lengths, ends)


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
        right = held == keys
        columns: Columns = np.where(right, self._columns[slots], np.int32(-1))
        waiting = (~right & (held != EMPTY)).nonzero()[0]
        step = 1
        while len(waiting):
            slot = (slots[waiting] + step) & self._mask
            held = self._keys[slot]
            found = held == keys[waiting]
            columns[waiting[found]] = self._columns[slot[found]]
            waiting = waiting[~found & (held != EMPTY)]
            step += 1
        return columns
