"""Explain: how much each word of a petition carried the answer to each task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.decision import Evidence
from nlp.features import FIELDS, Tokens
from nlp.hashing import STEP, Columns
from nlp.heads import Heads
from nlp.text import Texts

WORDS_SHOWN = 4


class Explainer:
    """Shares out the score of a decided label over the words that made it.

    A feature's part of the label's log-odds is its value times its weight. It is shared equally among
    the feature's occurrences (titles by their weight) and within one equally among its code points; a
    word gets what its code points got. So the weights of all words add up to the log-odds less the bias.
    """

    def __init__(self, heads: Heads, title_weight: float) -> None:
        self._heads = heads
        self._title_weight = title_weight

    def shares(self, texts: Texts, tokens: Tokens, columns: Columns, matrix: csr_matrix,
               best: Mapping[str, NDArray[np.intp]]) -> dict[str, NDArray[np.float64]]:  # fmt: skip
        """Task → (code points of the buffer + 1,) running sum of what each one gave the decided label."""
        known = np.flatnonzero(columns >= 0)
        column, row = columns[known], tokens.row[known]
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        place = np.searchsorted(rows * matrix.shape[1] + matrix.indices, row * matrix.shape[1] + column)
        weight = np.where(tokens.titled[known], self._title_weight, 1.0)
        weight /= np.bincount(place, weight)[place]
        start, end = tokens.start[known], tokens.end[known]
        weight *= matrix.data[place] / (end - start)
        count = len(texts.codes) + 1
        sums = {}
        for task, labels in best.items():
            density = weight * self._heads.weights[column, self._heads.columns(task).start + labels[row]]
            change = np.bincount(start, density, count) - np.bincount(end, density, count)
            sums[task] = np.concatenate(([0.0], np.cumsum(np.cumsum(change))[:-1]))
        return sums

    def explain(self, sources: list[str], texts: Texts, tokens: Tokens, columns: Columns, matrix: csr_matrix,
                best: Mapping[str, NDArray[np.intp]]) -> list[list[Evidence]]:  # fmt: skip
        """For each petition the words that carried each task, heaviest first, each word once."""
        start, end, row = (part[: tokens.words] for part in (tokens.start, tokens.end, tokens.row))
        same = tokens.key[: tokens.words] + row.astype(np.uint64) * STEP
        _, first, word = np.unique(same, return_index=True, return_inverse=True)
        hidden = np.concatenate(([0], np.cumsum(~texts.plain)))
        shown = hidden[end[first]] == hidden[start[first]]
        field = np.searchsorted(texts.bounds, start[first], side="right") - 1
        begin, stop = texts.start[start[first]], texts.end[end[first] - 1]
        found: list[list[Evidence]] = [[] for _ in range(len(texts) // 2)]
        for task, sums in self.shares(texts, tokens, columns, matrix, best).items():
            weight = np.bincount(word, sums[end] - sums[start], len(first))
            weight[~shown] = 0
            top = _heaviest(row[first], weight)
            spans = zip(*(part[top].tolist() for part in (field, begin, stop, weight.round(4))), strict=True)
            for number, left, right, value in spans:
                text = sources[number][left:right]
                found[number >> 1].append(Evidence(task, FIELDS[number & 1], left, right, text, value))
        return found


def _heaviest(rows: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.intp]:
    """The few words of each row with the largest positive weight, by row."""
    order = np.lexsort((-weight, rows))
    ordered = rows[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    chosen: NDArray[np.intp] = order[(rank < WORDS_SHOWN) & (weight[order] > 0)]
    return chosen
