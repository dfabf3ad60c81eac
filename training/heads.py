"""Fit the heads: the machine with Platt's sigmoids, one a task, and out of fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

from nlp.heads import Matrix, normalised
from training.dataset import MISSING
from training.machine import Machine

NEVER = -60.0  # the log-odds of a label that was not learned: its probability is zero
Columns = NDArray[np.int64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class FitSettings:
    """How the heads are fitted; chosen on held-out rows of the project's own corpus (decision 0010)."""

    strength: float = 1.0  # scikit-learn's C
    share: float = 0.6  # of naive Bayes
    folds: int = 4
    seed: int = 20261122
    jobs: int = 2


@dataclass(frozen=True)
class Fitted:
    """One head: (features, labels) weights and (labels,) bias as log-odds.

    held: (rows, labels) probabilities of each row by a fit that never saw it, where `known`.
    """

    weights: Weights
    bias: Weights
    held: Matrix
    known: NDArray[np.bool_]


def learnable(columns: Columns, settings: FitSettings) -> NDArray[np.bool_]:
    """(rows,) true where the row has a label with enough rows to stand in every fold."""
    labels, counts = np.unique(columns[columns != MISSING], return_counts=True)
    result: NDArray[np.bool_] = np.isin(columns, labels[counts >= settings.folds])
    return result


class Scores(ClassifierMixin, BaseEstimator):
    """Stands for a classifier whose scores are known already: they come in as the features."""

    def fit(self, scores: Matrix, labels: Columns) -> Scores:
        """Nothing is left to learn but which labels there are."""
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, scores: Matrix) -> Matrix:
        """The scores themselves."""
        return scores.ravel() if scores.shape[1] == 1 else scores

    predict = decision_function  # CalibratedClassifierCV wants to see it, and never calls it


def sigmoids(scores: Matrix, labels: Columns) -> list[Any]:
    """Platt's sigmoid of each scored label (slope `a_`, offset `b_`), fitted on (rows, scored labels) scores."""
    calibrated = CalibratedClassifierCV(Scores(), method="sigmoid", cv=2, ensemble=False).fit(scores, labels)
    result: list[Any] = calibrated.calibrated_classifiers_[0].calibrators
    return result


def machine(settings: FitSettings) -> Machine:
    """The classifier below the sigmoids."""
    return Machine(strength=settings.strength, share=settings.share, seed=settings.seed)


Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def folds(labels: Columns, groups: Columns, settings: FitSettings) -> Folds:
    """Rows to fit on and rows held out, no group on both sides; by row where a label has too few groups for that."""
    empty = np.empty((len(labels), 0))
    splitter = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    if settings.folds <= len(np.unique(groups)) < len(groups):
        apart = list(splitter.split(empty, labels, groups))
        present = len(np.unique(labels))
        if all(len(held) and len(np.unique(labels[rest])) == present for rest, held in apart):
            return apart
    by_row = StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed)
    return list(by_row.split(empty, labels))


def fit_head(matrix: csr_matrix, columns: Columns, groups: Columns, width: int, settings: FitSettings) -> Fitted:
    """Fit one task on the rows that have a label that can be learned; the sigmoids on out-of-fold scores."""
    known = learnable(columns, settings)
    rows, labels = matrix[known], columns[known]
    whole = machine(settings).fit(rows, labels)
    apart = folds(labels, groups[known], settings)
    scores = cross_val_predict(machine(settings), rows, labels, cv=apart, method="decision_function")
    scores = scores.reshape(len(labels), -1)
    present = whole.classes_
    weights = np.zeros((matrix.shape[1], width), np.float32)
    bias = np.full(width, NEVER, np.float32)
    log_odds = np.full((len(columns), width), NEVER)
    scored = present if len(present) > 2 else present[1:]
    for place, (column, sigmoid) in enumerate(zip(scored, sigmoids(scores, labels), strict=True)):
        weights[:, column] = -sigmoid.a_ * whole.coef_[place]
        bias[column] = -sigmoid.a_ * whole.intercept_[place] - sigmoid.b_
        log_odds[known, column] = -sigmoid.a_ * scores[:, place] - sigmoid.b_
    if len(present) == 2:
        first, second = present
        weights[:, first], bias[first], log_odds[:, first] = -weights[:, second], -bias[second], -log_odds[:, second]
    return Fitted(weights, bias, normalised(log_odds), known)


def fit_heads(matrix: csr_matrix, labels: Mapping[str, Columns], groups: Columns, widths: Mapping[str, int],
              settings: FitSettings, step: Callable[[], None]) -> dict[str, Fitted]:  # fmt: skip
    """Fit every task, some at once; `step` is called after each. groups: (rows,) numbers, equal within a group."""
    done = Parallel(n_jobs=settings.jobs, return_as="generator")(
        delayed(fit_head)(matrix, columns, groups, widths[task], settings) for task, columns in labels.items()
    )
    fitted: dict[str, Fitted] = {}
    for task, head in zip(labels, done, strict=True):
        fitted[task] = head
        step()
    return fitted
