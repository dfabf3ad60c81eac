"""Confusion: how the labels of an old taxonomy go with the categories of the active one, learned without new labels.

The old label is one noisy annotator of Dawid & Skene (1979), the text model's probabilities are the prior of each row:
EM finds P(old label | category) and the shares of the categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.former import TINY, Former, rounded
from nlp.heads import Matrix
from nlp.taxonomy import Taxonomy

# Measured on 900 letters under 15 old labels, 10 % of them wrong: benchmarks/former.py.
INDEPENDENT = (5.0, 10.0, 20.0, 50.0, 200.0, 1000.0)  # rows that each category is given, labelled like all rows …
SEEN = 1.0  # … whichever foretells best the other half of the rows; and enough that one of them bears each label …
NAMED = 0.5  # … but this share of them with the old labels that bear its name or one above it
SHARES = 50.0  # rows given beforehand that are spread over the categories as the text model has them
FEW = 5  # rows: a label with fewer says nothing
ROUNDS, STILL = 50, 1e-4


def learn(text: Matrix, labels: Sequence[str], taxonomy: Taxonomy) -> Former | None:
    """Learn from rows what their old labels say; none where no label has `FEW` rows.

    text: (rows, categories) the text model's probabilities. labels: the old label of each row, empty where it has none.
    """
    names, places, counts = np.unique(np.array(labels, object), return_inverse=True, return_counts=True)
    kept = [place for place, name in enumerate(names) if name and counts[place] >= FEW]
    if not kept:
        return None
    rows = np.isin(places, kept)
    text, column = text[rows], np.searchsorted(kept, places[rows])
    old = tuple(str(names[place]) for place in kept)
    share: NDArray[np.float64] = counts[kept] / len(column)
    labelled = _Labelled(text, column, share, _expected(old, share, taxonomy))
    best = labelled.settled(max(INDEPENDENT, key=labelled.foretells))
    likelihoods, under = best.given * best.weights, labelled.sums(best.posterior)
    return Former(
        old,
        tuple(taxonomy.codes("category")),
        counts[kept].astype(np.int64),
        rounded(likelihoods / np.maximum(likelihoods.max(axis=1, keepdims=True), TINY)),
        rounded(under / counts[kept][:, None]),
        rounded(best.posterior.mean(axis=0)),
    )


@dataclass(frozen=True)
class _Settled:
    """given: (labels, categories) P(label | category). weights: (categories,) new shares over old ones.

    posterior: (rows, categories).
    """

    given: Matrix
    weights: NDArray[np.float64]
    posterior: Matrix


@dataclass(frozen=True)
class _Labelled:
    """Rows with old labels.

    text: (rows, categories). column: (rows,) which label each bears. share: (labels,) of all rows. expected:
    (labels, categories) P(label | category) as believed beforehand.
    """

    text: Matrix
    column: NDArray[np.intp]
    share: NDArray[np.float64]
    expected: Matrix

    def settled(self, independent: float) -> _Settled:
        """Expectation and maximisation in turn until they stand still; independent: rows that count as expected."""
        text, column, posterior = self.text, self.column, self.text
        before = np.maximum(text.mean(axis=0), TINY)
        strength = np.maximum(independent, SEEN / self.share)[:, None]
        expected = strength * self.expected
        for _ in range(ROUNDS):
            mass = posterior.sum(axis=0)
            weights: NDArray[np.float64] = (mass + SHARES * before) / (len(text) + SHARES) / before
            # What a row says is left out for itself, else few rows of a label would make one another surer and surer.
            others = (self.sums(posterior) + expected)[column] - posterior
            found = text * weights * others / (mass - posterior + strength[column])
            found /= np.maximum(found.sum(axis=1, keepdims=True), TINY)
            moved, posterior = float(np.abs(found - posterior).max()), found
            if moved < STILL:
                break
        given: Matrix = (self.sums(posterior) + expected) / (posterior.sum(axis=0) + strength)
        return _Settled(given, weights, posterior)

    def sums(self, posterior: Matrix) -> Matrix:
        """(labels, categories) the rows' probabilities, added up label by label."""
        rows = len(self.column)
        which = csr_matrix((np.ones(rows), (self.column, np.arange(rows))), shape=(len(self.share), rows))
        return np.asarray(which @ posterior, np.float64)

    def foretells(self, independent: float) -> float:
        """The log-likelihood of the labels of each half of the rows by what the other half says."""
        halves = [self._part(slice(start, None, 2)) for start in (0, 1)]
        return sum(one._likelihood(other.settled(independent)) for one, other in (halves, halves[::-1]))

    def _likelihood(self, settled: _Settled) -> float:
        prior = self.text * settled.weights
        likely = (prior * settled.given[self.column]).sum(axis=1) / np.maximum(prior.sum(axis=1), TINY)
        return float(np.log(np.maximum(likely, TINY)).sum())

    def _part(self, rows: slice) -> _Labelled:
        return replace(self, text=self.text[rows], column=self.column[rows])


def _expected(labels: Sequence[str], share: NDArray[np.float64], taxonomy: Taxonomy) -> Matrix:
    """(labels, categories) P(label | category) beforehand: as over all rows, and more for labels that bear its name."""
    named = np.array([[_bears(label, names) for label in labels] for names in _names(taxonomy)]) * share
    found = named.sum(axis=1, keepdims=True)
    named = np.divide(named, found, out=np.tile(share, (len(named), 1)), where=found > 0)
    expected: Matrix = ((1 - NAMED) * share + NAMED * named).T
    return expected


def _names(taxonomy: Taxonomy) -> list[set[str]]:
    """Of each category what an old label may call it: its code, its name, its path, and the nodes above it."""
    return [
        {label.code, *path, "/".join(path)} for label in taxonomy.categories for path in [taxonomy.paths[label.code]]
    ]


def _bears(label: str, names: set[str]) -> bool:
    return label in names or label.rpartition("/")[2] in names
