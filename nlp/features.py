"""Features: words and character runs of title and text, weighted as TF-IDF, one row a petition."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.folding import SIZE
from nlp.hashing import Columns, Keys
from nlp.segment import Segmenter
from nlp.text import Texts
from nlp.vocabulary import WORD_SALT

FIELDS = ("title", "text")  # the texts of a petition, in this order, one after the other
CUT_AT = 16_384  # code points that one call of the segmenter gets: longer ones leave the cache


@dataclass(frozen=True)
class FeatureSettings:
    """How features are made; pinned by the model's manifest."""

    grams: tuple[int, ...] = (2,)
    title_weight: float = 3.0
    segmenter: str = "rjieba"


@dataclass(frozen=True)
class Tokens:
    """Every occurrence of a word or of a run of characters in a batch.

    key: (m,) hash; start, end: (m,) code points of the buffer; row: (m,) petition.
    titled: (m,) true where it stands in a title.
    words: how many of them, the first ones, are words.
    """

    key: Keys
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    row: NDArray[np.int64]
    titled: NDArray[np.bool_]
    words: int


@lru_cache(maxsize=1)
def letters() -> NDArray[np.bool_]:
    """(SIZE,) true for code points that make words: letters and digits of any script."""
    table = np.zeros(SIZE, np.bool_)
    table[:0x20000] = [unicodedata.category(chr(code))[0] in "LN" for code in range(0x20000)]
    table[0x20000:0x32000] = True
    return table


def cut(texts: Texts, segmenter: Segmenter) -> list[str]:
    """The words of all texts, newlines included, in calls of a size that stays in the cache."""
    whole, bounds = texts.whole, texts.bounds
    words: list[str] = []
    first = 0
    while first < len(whole):
        last = max(int(np.searchsorted(bounds, first + CUT_AT, side="right")) - 1, 0)
        end = int(bounds[last]) if bounds[last] > first else int(bounds[last + 1])
        words += segmenter.cut(whole[first:end])
        first = end
    return words


class Features:
    """Makes the feature matrix of normalised and masked petitions (titles and texts in turn)."""

    def __init__(self, settings: FeatureSettings, segmenter: Segmenter) -> None:
        self.settings = settings
        self._segmenter = segmenter

    def tokens(self, texts: Texts) -> Tokens:
        """All words and character runs of the batch."""
        codes, count = texts.codes, len(texts)
        number = np.arange(count).repeat(texts.bounds[1:] - texts.bounds[:-1])
        wordy = letters()[codes]
        hashes = texts.hashes
        start, end = self._words(texts)
        keep = wordy[start] & wordy[end - 1]
        start, end = start[keep], end[keep]
        keys, starts, ends = [hashes.stretches(start, end) ^ WORD_SALT], [start], [end]
        joined = wordy
        for size in range(2, max(self.settings.grams) + 1):
            joined = joined[:-1] & wordy[size - 1 :]
            if size in self.settings.grams:
                start = joined.nonzero()[0]
                keys.append(hashes.grams(size)[start])
                starts.append(start)
                ends.append(start + size)
        begin = np.concatenate(starts)
        field = number[begin]
        return Tokens(np.concatenate(keys), begin, np.concatenate(ends), field >> 1, (field & 1) == 0, len(starts[0]))

    def _words(self, texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        words = cut(texts, self._segmenter)
        ends = np.cumsum(np.fromiter(map(len, words), np.int64, len(words)))
        return np.concatenate(([0], ends[:-1])), ends

    def counts(self, tokens: Tokens, columns: Columns, rows: int, width: int) -> Counts:
        """How often each feature of `width` stands in each of `rows` petitions, titles weighing more."""
        known = (columns >= 0).nonzero()[0]
        pairs = (tokens.row[known] * width + columns[known]) * 2 + tokens.titled[known]
        pairs.sort()
        weight = np.where(pairs & 1, np.float32(self.settings.title_weight), np.float32(1))
        pairs >>= 1
        new = np.ones(len(pairs), np.bool_)
        new[1:] = pairs[1:] != pairs[:-1]
        first = new.nonzero()[0]
        cells = pairs[first]
        row = cells // width
        return Counts(
            values=np.add.reduceat(weight, first) if len(first) else weight,
            columns=(cells - row * width).astype(np.int32),
            ends=row.searchsorted(np.arange(rows + 1)).astype(np.int32),
            width=width,
        )


@dataclass(frozen=True)
class Counts:
    """A sparse matrix by rows: row i holds `values[ends[i] : ends[i + 1]]` in `columns` of the same places."""

    values: NDArray[np.float32]
    columns: NDArray[np.int32]
    ends: NDArray[np.int32]
    width: int

    @property
    def lengths(self) -> NDArray[np.int32]:
        """(rows,) how many different features each row holds."""
        return self.ends[1:] - self.ends[:-1]


def weighted(counts: Counts, idf: NDArray[np.float32]) -> csr_matrix:
    """Counts as sublinear TF-IDF with rows of length one, as scikit-learn's TfidfTransformer does it.

    value = (1 + ln count) · idf, divided by the row's Euclidean norm.
    """
    values = (np.log(counts.values) + 1) * idf[counts.columns]
    lengths = counts.lengths
    filled = lengths.nonzero()[0]
    norms = np.ones(len(lengths), np.float32)
    if len(filled):
        norms[filled] = np.sqrt(np.add.reduceat(values.astype(np.float64) ** 2, counts.ends[filled]))
    values /= norms.repeat(lengths)
    return csr_matrix((values, counts.columns, counts.ends), (len(lengths), counts.width))
