"""Static vectors: what an encoder knows of each piece of a word, as a table that is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

WIDTH = 256
LEVELS = 127  # of an int8
RARE = 1e-4  # a: a piece weighs a / (a + its share of all pieces)


@dataclass(frozen=True)
class Vectors:
    """A vector for each piece of a tokenizer.

    table: (pieces, width) int8. scales: (width,) float32, what one step of each column is worth.
    """

    tokenizer: Tokenizer
    table: NDArray[np.int8]
    scales: NDArray[np.float32]

    def of(self, strings: Sequence[str]) -> NDArray[np.float32]:
        """(strings, width): the mean of the vectors of each string's pieces; none of the marks that open a text."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(strings), add_special_tokens=False)]
        lengths = np.array([max(1, len(pieces)) for pieces in ids])
        flat = np.array([piece for pieces in ids for piece in (pieces or [0])])
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        sums = np.add.reduceat(self.table[flat].astype(np.float32), starts, axis=0)
        means: NDArray[np.float32] = (sums / lengths[:, None] * self.scales).astype(np.float32)
        return means

    def save(self, path: Path) -> None:
        """Write the table; the tokenizer has a file of its own."""
        save_file({"table": self.table, "scales": self.scales}, path)

    @classmethod
    def read(cls, path: Path, tokenizer: Path) -> Vectors:
        """Read a table and the tokenizer that it belongs to."""
        tensors = load_file(path)
        return cls(Tokenizer.from_file(str(tokenizer)), tensors["table"], tensors["scales"])


def reduced(embedded: NDArray[np.float32], counts: NDArray[np.int64], width: int = WIDTH) -> NDArray[np.float32]:
    """(pieces, width): the main directions of (pieces, n) vectors, frequent pieces made shorter.

    counts: (pieces,) how often each stands in a corpus. Mean and principal directions are those of the corpus,
    each piece counted as often as it stands there (at least once); then a piece weighs a / (a + its share), the smooth
    inverse frequency of Arora et al. 2017.
    """
    often = np.maximum(counts, 1).astype(np.float64)
    share = often / often.sum()
    centred = embedded - (share[:, None] * embedded).sum(axis=0)
    _, directions = np.linalg.eigh((np.sqrt(share)[:, None] * centred).T @ (np.sqrt(share)[:, None] * centred))
    projected = centred @ directions[:, ::-1][:, :width]
    weighted: NDArray[np.float32] = (projected * (RARE / (RARE + share))[:, None]).astype(np.float32)
    return weighted


def packed(tokenizer: Tokenizer, vectors: NDArray[np.float32]) -> Vectors:
    """(pieces, width) float32 as int8, each column to its own scale; what lies beyond four deviations is cut off."""
    scales = np.maximum(np.minimum(np.abs(vectors).max(axis=0), 4 * vectors.std(axis=0)), 1e-12) / LEVELS
    table = np.clip(np.round(vectors / scales), -LEVELS, LEVELS).astype(np.int8)
    return Vectors(tokenizer, table, scales.astype(np.float32))
