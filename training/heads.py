"""Fit the heads: scikit-learn's multinomial logistic regression, one a task, and out of fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from nlp.heads import Matrix
from training.dataset import MISSING

NEVER = -30.0  # the score of a label that no row of the training data has
Columns = NDArray[np.int64]


@dataclass(frozen=True)
class FitSettings:
    """How the heads are fitted; chosen on held-out rows of the project's own corpus."""

    strength: float = 50.0  # scikit-learn's C
    tolerance: float = 1e-3
    iterations: int = 100
    folds: int = 4
    seed: int = 20261122
    jobs: int = 2


@dataclass(frozen=True)
class Job:
    """One fit: a task on some rows, to answer other rows (none for the final fit)."""

    task: str
    rows: Columns
    held: Columns


@dataclass(frozen=True)
class Fitted:
    """What one job gave: (features, labels) weights and (labels,) bias, scores of the held rows."""

    job: Job
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    scores: Matrix


def logistic(settings: FitSettings) -> LogisticRegression:
    """The estimator of one head."""
    return LogisticRegression(C=settings.strength, tol=settings.tolerance, max_iter=settings.iterations)


def fit_head(matrix: csr_matrix, columns: Columns, width: int, settings: FitSettings) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (features, width) and bias (width,) of one head; labels without rows get `NEVER`."""
    weights = np.zeros((matrix.shape[1], width), np.float32)
    bias = np.full(width, NEVER, np.float32)
    present = np.unique(columns)
    if len(present) == 1:
        bias[present] = 0
        return weights, bias
    model = logistic(settings).fit(matrix, columns)
    if len(present) == 2:
        weights[:, present[1]] = model.coef_[0]
        bias[present] = [0, model.intercept_[0]]
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return weights, bias


def jobs(labels: dict[str, Columns], rows: int, settings: FitSettings) -> Iterator[Job]:
    """For each task the fits out of fold, then the final one; slowest tasks first."""
    splits = list(KFold(settings.folds, shuffle=True, random_state=settings.seed).split(np.arange(rows)))
    for task, columns in labels.items():
        known = columns != MISSING
        yield Job(task, np.flatnonzero(known), np.array([], np.int64))
        for train, held in splits:
            yield Job(task, train[known[train]], held)


def fit_heads(matrix: csr_matrix, labels: dict[str, Columns], widths: dict[str, int], settings: FitSettings,
              step: Callable[[], None]) -> tuple[dict[str, Fitted], dict[str, Matrix]]:  # fmt: skip
    """The final fit of each task, and (rows, labels) scores of each row by a fit that never saw it."""
    work = list(jobs(labels, matrix.shape[0], settings))
    done = Parallel(n_jobs=settings.jobs, return_as="generator")(
        delayed(_run)(matrix, labels[job.task], widths[job.task], job, settings) for job in work
    )
    final: dict[str, Fitted] = {}
    scores = {task: np.zeros((matrix.shape[0], width)) for task, width in widths.items()}
    for fitted in done:
        step()
        if len(fitted.job.held):
            scores[fitted.job.task][fitted.job.held] = fitted.scores
        else:
            final[fitted.job.task] = fitted
    return final, scores


def _run(matrix: csr_matrix, columns: Columns, width: int, job: Job, settings: FitSettings) -> Fitted:
    weights, bias = fit_head(matrix[job.rows], columns[job.rows], width, settings)
    if not len(job.held):
        return Fitted(job, weights, bias, np.zeros((0, width)))
    return Fitted(job, weights[:0], bias, (matrix[job.held] @ weights).astype(np.float64) + bias)
