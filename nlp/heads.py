"""The heads: one linear classifier a task, all side by side in one matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Matrix = NDArray[np.float64]
Probabilities = dict[str, Matrix]


def softmax(scores: Matrix) -> Matrix:
    """(n, k) scores → (n, k) probabilities, rows summing to one."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Matrix = shifted / shifted.sum(axis=1, keepdims=True)
    return result


@dataclass(frozen=True)
class Heads:
    """Multinomial logistic regressions over the same features.

    weights: (features, labels of all tasks) float32; bias: (labels of all tasks,) float32.
    widths: task → number of its labels, in the order of the columns.
    temperatures: task → the divisor of its scores that calibrates them (Guo et al. 2017).
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    widths: Mapping[str, int]
    temperatures: Mapping[str, float]

    def columns(self, task: str) -> slice:
        """Where the columns of a task stand."""
        tasks = list(self.widths)
        start = sum(self.widths[other] for other in tasks[: tasks.index(task)])
        return slice(start, start + self.widths[task])

    def scores(self, matrix: csr_matrix) -> Matrix:
        """(n, features) → (n, labels) uncalibrated scores of all tasks."""
        result: Matrix = (matrix @ self.weights).astype(np.float64) + self.bias
        return result

    def probabilities(self, matrix: csr_matrix, *, calibrated: bool = True) -> Probabilities:
        """(n, features) → task → (n, its labels); uncalibrated they equal scikit-learn's predict_proba."""
        scores = self.scores(matrix)
        divisors = self.temperatures if calibrated else dict.fromkeys(self.widths, 1.0)
        return {task: softmax(scores[:, self.columns(task)] / divisors[task]) for task in self.widths}
