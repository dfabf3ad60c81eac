"""Explain: how much each word of a petition carried the answer to each task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.decision import Evidence
from nlp.features import FIELDS, Tokens
from nlp.heads import Heads
from nlp.text import Texts
from nlp.vocabulary import Columns

WORDS_SHOWN = 4


class Explainer:
    """Shares out the score of a decided label over the words that made it.

    A feature's part of the score is its value times its weight, less the mean weight of the task's
    labels, which no probability depends on. It is shared equally among the feature's occurrences
    (titles by their weight) and within one equally among its code points; a word gets what its code
    points got. So the weights of all words add up to the score less the bias.
    """

    def __init__(self, heads: Heads, title_weight: float) -> None:
        self._heads = heads
        self._title_weight = title_weight

    def shares(self, texts: Texts, tokens: Tokens, columns: Columns, matrix: csr_matrix, labels: NDArray[np.intp],
               task: str) -> NDArray[np.float64]:  # fmt: skip
        """(code points of the buffer,) the part of the decided label's score that each one carried."""
        weights = self._heads.weights[:, self._heads.columns(task)]
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        centred = weights[matrix.indices, labels[rows]] - weights[matrix.indices].mean(axis=1)
        part = matrix.data * centred
        known = np.flatnonzero(columns >= 0)
        cell = rows.astype(np.int64) * matrix.shape[1] + matrix.indices
        place = np.searchsorted(cell, tokens.row[known] * matrix.shape[1] + columns[known])
        occurrence = np.where(tokens.titled[known], self._title_weight, 1.0)
        total = np.bincount(place, weights=occurrence, minlength=len(cell))
        start, end = tokens.start[known], tokens.end[known]
        density = part[place] * occurrence / total[place] / (end - start)
        change = np.zeros(len(texts.codes) + 1)
        np.add.at(change, start, density)
        np.subtract.at(change, end, density)
        shares: NDArray[np.float64] = np.cumsum(change)[:-1]
        return shares

    def explain(self, sources: list[str], texts: Texts, tokens: Tokens, columns: Columns, matrix: csr_matrix,
                best: Mapping[str, NDArray[np.intp]]) -> list[list[Evidence]]:  # fmt: skip
        """For each petition the words that carried each task, heaviest first."""
        words = tokens.words
        found: list[list[Evidence]] = [[] for _ in range(len(texts) // 2)]
        for task, labels in best.items():
            sums = np.concatenate(([0.0], np.cumsum(self.shares(texts, tokens, columns, matrix, labels, task))))
            weight = sums[tokens.end[:words]] - sums[tokens.start[:words]]
            for row, word in _heaviest(tokens.row[:words], weight):
                evidence = _evidence(sources, texts, tokens, word, task, float(weight[word]))
                if evidence:
                    found[row].append(evidence)
        return found


def _heaviest(rows: NDArray[np.int64], weight: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, word) of the few words of each row with the largest positive weight."""
    order = np.lexsort((-weight, rows))
    ordered = rows[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    chosen = order[(rank < WORDS_SHOWN) & (weight[order] > 0)]
    return [(int(rows[word]), int(word)) for word in chosen]


def _evidence(sources: list[str], texts: Texts, tokens: Tokens, word: int, task: str, weight: float) -> Evidence | None:
    """The word as it stands in the source; none for what masking put there."""
    begin, stop = int(tokens.start[word]), int(tokens.end[word])
    number = texts.field(begin)
    start, end = texts.source(begin, stop)
    if not texts.plain[begin:stop].all():
        return None
    return Evidence(task, FIELDS[number & 1], start, end, sources[number][start:end], round(weight, 4))
