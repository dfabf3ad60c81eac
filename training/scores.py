"""Scores: how often a model is right, how sure it may be, what it answers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.heads import Matrix
from training.calibration import calibration_error, wilson

Columns = NDArray[np.int64]


@dataclass(frozen=True)
class TaskScore:
    """Answers of one task against labels, rows without a label left out.

    best, labels: (n,) columns. marginals: (n, labels) calibrated probabilities.
    """

    best: Columns
    labels: Columns
    marginals: Matrix

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) which answers are right."""
        result: NDArray[np.bool_] = self.best == self.labels
        return result

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.right.mean()) if len(self.labels) else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson)."""
        return wilson(int(self.right.sum()), len(self.labels))

    def among(self, count: int) -> float:
        """The share of rows whose label is among the `count` most probable."""
        rank = (self.marginals > self.marginals[np.arange(len(self.labels)), self.labels, None]).sum(axis=1)
        return float((rank < count).mean()) if len(rank) else 0.0

    @property
    def f1(self) -> dict[int, float]:
        """Column → F1, for every label that is given or answered."""
        return {int(column): self._f1(column) for column in np.union1d(self.best, self.labels)}

    def _f1(self, column: int) -> float:
        given, answered = self.labels == column, self.best == column
        return float(2 * (given & answered).sum() / (given.sum() + answered.sum()))

    @property
    def macro_f1(self) -> float:
        """The mean of the F1 of every label that is given or answered."""
        return float(np.mean(list(self.f1.values()))) if len(self.labels) else 0.0

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(n,) the probability of each answer."""
        sure: NDArray[np.float64] = self.marginals[np.arange(len(self.best)), self.best]
        return sure

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the decided labels."""
        return calibration_error(self.confidence, self.right)

    @property
    def kappa(self) -> float:
        """Quadratically weighted kappa of ordered labels (Cohen 1968)."""
        width = self.marginals.shape[1]
        table = np.zeros((width, width))
        np.add.at(table, (self.labels, self.best), 1)
        weight = np.subtract.outer(np.arange(width), np.arange(width)) ** 2
        chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
        expected = float((weight * chance).sum())
        return 1 - float((weight * table).sum()) / expected if expected else 1.0

    def as_dict(self) -> dict[str, Any]:
        """The figures that the contract names."""
        return {
            "accuracy": round(self.accuracy, 4),
            "macro_f1": round(self.macro_f1, 4),
            "interval": [round(edge, 4) for edge in self.interval],
            "calibration_error": round(self.calibration_error, 4),
        }
