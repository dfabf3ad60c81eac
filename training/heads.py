"""Fit the heads: the machine with Platt's sigmoids, one a task, and out of fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from nlp.heads import Matrix, normalised
from training.dataset import MISSING
from training.machine import Machine

NEVER = -60.0  # the log-odds of a label that was not learned: its probability is zero
ALIKE = 1e-6  # scores closer together than this tell nothing apart
Columns = NDArray[np.int64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class FitSettings:
    """How the heads are fitted; chosen on held-out rows of the project's own corpus (decision 0010)."""

    strength: float = 1.0  # scikit-learn's C
    share: float = 0.6  # of naive Bayes
    folds: int = 4
    seed: int = 20261122
    jobs: int = 2  # processes: liblinear draws from one sequence for all threads, and no fit could be repeated


@dataclass(frozen=True)
class Fitted:
    """One head: (features, labels) weights and (labels,) bias as log-odds.

    held: (rows, labels) probabilities of each row by a fit that never saw it, where `known`.
    learned: the columns of the labels that were learned.
    """

    weights: Weights
    bias: Weights
    held: Matrix
    known: NDArray[np.bool_]
    learned: Columns


def learnable(columns: Columns, settings: FitSettings) -> NDArray[np.bool_]:
    """(rows,) true where the row has a label with enough rows to stand in every fold."""
    labels, counts = np.unique(columns[columns != MISSING], return_counts=True)
    result: NDArray[np.bool_] = np.isin(columns, labels[counts >= settings.folds])
    return result


def sigmoid(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset that turn (n,) scores into log-odds (Platt 1999, with his targets that are never 0 or 1).

    Each row stands twice, as right and as wrong, weighing as much as its target says. Scores that are all alike
    have the slope 0.
    """
    count = np.count_nonzero(positive)
    target = np.where(positive, (count + 1) / (count + 2), 1 / (len(positive) - count + 2))
    if np.ptp(scores) < ALIKE:
        return 0.0, float(logit(target.mean()))
    doubled, right = np.tile(scores, 2)[:, None], np.repeat([1, 0], len(scores))
    # lbfgs stops early where few rows are positive: the offset of 5 among 20,000 comes out wrong by 0.6.
    platt = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    fitted = platt.fit(doubled, right, np.concatenate([target, 1 - target]))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def sigmoids(scores: Matrix, labels: Columns, scored: Columns) -> NDArray[np.float64]:
    """(scored labels, 2) slope and offset of each label's sigmoid, fitted on (rows, scored labels) held-out scores.

    A label that no held-out row bears gets the mean of the others'.
    """
    found = np.full((len(scored), 2), np.nan)
    for place, column in enumerate(scored):
        positive = labels == column
        if positive.any() and not positive.all():
            found[place] = sigmoid(scores[:, place], positive)
    known = ~np.isnan(found[:, 0])
    found[~known] = found[known].mean(axis=0) if known.any() else (1.0, 0.0)
    return found


def machine(settings: FitSettings, prior: Weights | None = None) -> Machine:
    """The classifier below the sigmoids."""
    return Machine(strength=settings.strength, share=settings.share, seed=settings.seed, prior=prior)


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


@dataclass(frozen=True)
class Material:
    """What all heads are fitted on.

    matrix: (rows, features). groups: (rows,) numbers, equal within a group. prior: (features, n), see `Machine`.
    held: (rows,) true for the rows that are held out; without it every row is, fold by fold, and the heads
    themselves are fitted on all rows.
    """

    matrix: csr_matrix
    groups: Columns
    prior: Weights | None = None
    held: NDArray[np.bool_] | None = None

    def fits(self, tasks: int, settings: FitSettings) -> int:
        """How many machines will be fitted for so many tasks."""
        return tasks * (settings.folds + 1 if self.held is None else 1)

    def folds(self, labels: Columns, known: NDArray[np.bool_], settings: FitSettings) -> Folds:
        """Places among the `known` rows to fit on and to be held out."""
        if self.held is None:
            return folds(labels, self.groups[known], settings)
        return [(np.flatnonzero(~self.held[known]), np.flatnonzero(self.held[known]))]


@dataclass(frozen=True)
class Plan:
    """The fits of one task: on `known` rows with `labels`, once for each fold, and once on all of them."""

    known: NDArray[np.bool_]
    labels: Columns
    folds: Folds

    @classmethod
    def of(cls, columns: Columns, material: Material, settings: FitSettings) -> Plan:
        """Which rows of a task can be learned from and how they are held out."""
        known = learnable(columns, settings)
        if material.held is not None:
            known &= np.isin(columns, columns[known & ~material.held])
        return cls(known, columns[known], material.folds(columns[known], known, settings))


def _fitted(material: Material, plan: Plan, rows: NDArray[np.intp], settings: FitSettings) -> Machine:
    places = np.flatnonzero(plan.known)[rows]
    fitted = machine(settings, material.prior).fit(material.matrix[places], plan.labels[rows])
    fitted.prior = None  # it is folded in, and need not travel back from the process that fitted
    return fitted


def _scores(material: Material, plan: Plan, fold: int, settings: FitSettings) -> tuple[Machine, Matrix]:
    """A machine fitted on one fold, and its (held rows, scored labels) scores; a label that it lacks never wins."""
    rest, held = plan.folds[fold]
    fitted = _fitted(material, plan, rest, settings)
    scores = fitted.decision_function(material.matrix[np.flatnonzero(plan.known)[held]])
    return fitted, scores.reshape(len(held), -1)


def _head(plan: Plan, whole: Machine, scores: Sequence[Matrix], width: int) -> Fitted:
    """The head of a task: the sigmoids are fitted on the scores of held-out rows."""
    held = np.concatenate([places for _, places in plan.folds])
    together, labels = np.concatenate(scores), plan.labels[held]
    rows = np.flatnonzero(plan.known)[held]
    present = whole.classes_
    weights = np.zeros((whole.coef_.shape[1], width), np.float32)
    bias = np.full(width, NEVER, np.float32)
    log_odds = np.full((len(plan.known), width), NEVER)
    scored = present if len(present) > 2 else present[1:]
    slope, offset = sigmoids(together, labels, scored).T
    weights[:, scored] = (slope[:, None] * whole.coef_).T
    bias[scored] = slope * whole.intercept_ + offset
    log_odds[np.ix_(rows, scored)] = slope * together + offset
    if len(present) == 2:
        first, second = present
        weights[:, first], bias[first], log_odds[:, first] = -weights[:, second], -bias[second], -log_odds[:, second]
    known = np.zeros(len(plan.known), np.bool_)
    known[rows] = True
    return Fitted(weights, bias, normalised(log_odds), known, present)


def fit_heads(material: Material, labels: Mapping[str, Columns], widths: Mapping[str, int], settings: FitSettings,
              step: Callable[[], None]) -> dict[str, Fitted]:  # fmt: skip
    """Fit every task on every fold and on all its rows, some fits at once; `step` is called after each."""
    plans = {task: Plan.of(columns, material, settings) for task, columns in labels.items()}
    work = [(task, fold) for task, plan in plans.items() for fold in range(len(plan.folds))]
    done = Parallel(n_jobs=settings.jobs, return_as="generator")(
        delayed(_scores)(material, plans[task], fold, settings) for task, fold in work
    )
    scores: dict[str, list[Matrix]] = {task: [] for task in plans}
    wholes: dict[str, Machine] = {}
    for (task, _), (fitted, held) in zip(work, done, strict=True):
        scores[task].append(held)
        wholes[task] = fitted
        step()
    if material.held is None:
        every = Parallel(n_jobs=settings.jobs, return_as="generator")(
            delayed(_fitted)(material, plan, np.arange(len(plan.labels)), settings) for plan in plans.values()
        )
        for task, fitted in zip(plans, every, strict=True):
            wholes[task] = fitted
            step()
    return {task: _head(plan, wholes[task], scores[task], widths[task]) for task, plan in plans.items()}


def fit_head(material: Material, columns: Columns, width: int, settings: FitSettings) -> Fitted:
    """Fit one task by itself."""
    return fit_heads(material, {"": columns}, {"": width}, settings, lambda: None)[""]
