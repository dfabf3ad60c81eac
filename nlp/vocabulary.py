"""The vocabulary: known words and character runs, each a column of the feature matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nlp.hashing import EMPTY, Keys, Table, keys_of

WORD_SALT = np.uint64(0xD6E8FEB86659FD93)


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
