"""Explain: how much each word of a petition carried the answer to each task."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.decision import Evidence
from nlp.features import FIELDS, Tokens
from nlp.hashing import STEP, Columns
from nlp.heads import Heads
from nlp.text import Texts, holders

WORDS_SHOWN = 4


class Explainer:
    """Shares out the score of a decided label over the words that made it.

    A feature's part of the label's log-odds is its value times its weight. It is shared equally among
    the feature's occurrences (titles by their weight); a word keeps its own, a run of characters gives
    each of its characters' words an equal share. So all weights add up to the log-odds less the bias.
    """

    def __init__(self, heads: Heads, title_weight: float) -> None:
        self._heads = heads
        self._title_weight = title_weight

    def weights(
        self,
        texts: Texts,
        tokens: Tokens,
        columns: Columns,
        matrix: csr_matrix,
        best: Mapping[str, NDArray[np.intp]],
    ) -> NDArray[np.float64]:
        """(words + 1, tasks of `best`) what each word gave; the last row is what no word holds."""
        known = (columns >= 0).nonzero()[0]
        column, row = columns[known], tokens.row[known]
        place, _ = _distinct(row * matrix.shape[1] + column)
        weight = np.where(tokens.titled[known], self._title_weight, 1.0)
        weight /= np.bincount(place, weight)[place] if len(place) else 1.0
        start, size = tokens.start[known], (tokens.end - tokens.start)[known]
        is_word = known < tokens.words
        weight *= matrix.data[place] / np.where(is_word, 1, size)
        decided = np.stack([self._heads.columns(task).start + labels for task, labels in best.items()], axis=1)
        cells = column[:, None] * np.int64(len(self._heads.bias)) + decided[row]
        given = weight[:, None] * self._heads.weights.ravel().take(cells)
        stretches = tokens.start[: tokens.words], tokens.end[: tokens.words]
        holder = holders(*stretches, len(texts.codes), tokens.words)
        sums = _totals(known[is_word], given[is_word], tokens.words + 1)
        for offset in range(int(size[~is_word].max(initial=0))):
            reached = ~is_word & (size > offset)
            sums += _totals(holder[start[reached] + offset], given[reached], tokens.words + 1)
        return sums

    def explain(self, sources: list[str], texts: Texts, tokens: Tokens, columns: Columns, matrix: csr_matrix,
                best: Mapping[str, NDArray[np.intp]]) -> list[list[Evidence]]:  # fmt: skip
        """For each petition the words that carried each task, heaviest first, each word once."""
        start, end, row = (part[: tokens.words] for part in (tokens.start, tokens.end, tokens.row))
        same = tokens.key[: tokens.words] + row.astype(np.uint64) * STEP
        word, first = _distinct(same)
        weight = _totals(word, self.weights(texts, tokens, columns, matrix, best)[:-1], len(first))
        hidden = np.concatenate(([0], np.cumsum(~texts.plain)))
        weight[hidden[end[first]] > hidden[start[first]]] = 0
        field = texts.bounds.searchsorted(start[first], side="right") - 1
        top, task = _heaviest(row[first], start[first], weight)
        begin, stop = texts.start[start[first[top]]], texts.end[end[first[top]] - 1]
        value = weight[top, task].round(4)
        names = list(best)
        words = [
            Evidence(names[kind], FIELDS[number & 1], left, right, sources[number][left:right], heavy)
            for kind, number, left, right, heavy in zip(
                *(part.tolist() for part in (task, field[top], begin, stop, value)), strict=True
            )
        ]
        ends = np.searchsorted(field[top] >> 1, np.arange(len(texts) // 2 + 1)).tolist()
        return [words[left:right] for left, right in pairwise(ends)]


def _distinct(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The place of each value among the distinct ones in order, and where each of these first stands.

    As numpy.unique gives them, but by the fast sort, which need not be stable.
    """
    order = np.argsort(values)
    ordered = values[order]
    new = np.ones(len(values), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    places = np.empty(len(values), np.intp)
    places[order] = new.cumsum() - 1
    starts = new.nonzero()[0]
    return places, np.minimum.reduceat(order, starts) if len(starts) else starts


def _totals(
    groups: NDArray[np.intp] | NDArray[np.int64], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """(m,) groups and (m, k) values → (count, k) sums of each group."""
    width = values.shape[1]
    flat = (groups[:, None] * width + np.arange(width)).ravel()
    sums = np.bincount(flat, values.ravel(), count * width).astype(np.float64, copy=False)
    return sums.reshape(-1, width)[:count]


def _heaviest(
    rows: NDArray[np.int64], place: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The few words of each row with the largest positive weight for each task, and the task, by row."""
    word, task = np.nonzero(weight > 0)
    group = rows[word] * weight.shape[1] + task
    order = np.lexsort((place[word], -weight[word, task].round(9), group))  # ties go to the word that stands first
    ordered = group[order]
    rank = np.arange(len(order)) - ordered.searchsorted(ordered)
    chosen = order[rank < WORDS_SHOWN]
    return word[chosen], task[chosen]
