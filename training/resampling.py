"""Resample: how far a macro-F1 may be from what it would be on other petitions of the same kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.heads import Matrix
from training.scores import Columns

TIMES = 1000
SEED = 20261122
CELLS = 4_000_000  # counts that are drawn at once: 32 MB
EDGES = (0.025, 0.975)  # of a 95 % interval


def resampled_f1(labels: Columns, answers: Columns, times: int = TIMES) -> Matrix:
    """(n,) labels and (m, n) answers of m classifiers → (times, m) macro-F1 on rows drawn with replacement.

    The bootstrap (Efron 1979). To draw rows is to draw how often each combination of label and answers comes,
    a multinomial, so that its cost grows with the combinations and not with the rows. The classifiers are judged
    on the same draws.
    """
    if not len(labels):
        return np.zeros((times, len(answers)))
    random = np.random.default_rng(SEED)
    kinds, counts = np.unique(np.vstack([labels[None], answers]), axis=1, return_counts=True)
    share, portion = counts / counts.sum(), max(1, CELLS // len(counts))
    drawn = (random.multinomial(len(labels), share, min(portion, times - done)) for done in range(0, times, portion))
    return np.concatenate([np.stack([_macro_f1(kinds[0], kind, part) for kind in kinds[1:]], axis=1) for part in drawn])


def _macro_f1(labels: Columns, answers: Columns, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """(times, kinds) how often each kind of row was drawn → (times,) the mean F1 of the labels that then occur."""
    given, answered = _summed(labels, weights), _summed(answers, weights)
    width = max(given.shape[1], answered.shape[1])
    total = np.pad(given, ((0, 0), (0, width - given.shape[1])))
    total[:, : answered.shape[1]] += answered
    right = labels == answers
    both = np.pad(_summed(labels[right], weights[:, right]), ((0, 0), (0, width)))[:, :width]
    f1 = np.divide(2 * both, total, out=np.zeros(total.shape), where=total > 0)
    result: NDArray[np.float64] = f1.sum(axis=1) / np.maximum((total > 0).sum(axis=1), 1)
    return result


def _summed(columns: Columns, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """(times, kinds) weights → (times, labels) their sums over the kinds of each label."""
    width = int(columns.max(initial=-1)) + 1
    if not width:
        return np.zeros((len(weights), 0))
    table = csr_matrix((np.ones(len(columns)), (columns, np.arange(len(columns)))), (width, len(columns)))
    result: NDArray[np.float64] = (table @ weights.T).T
    return result


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    low, high = np.quantile(values, EDGES)
    return float(low), float(high)
