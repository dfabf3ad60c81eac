"""The heads: one linear classifier a task, all side by side in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit

Matrix = NDArray[np.float64]
Probabilities = dict[str, Matrix]
TINY = 1e-12
LENDER = "lender"  # in the place of a task: the categories of the model that lent some of its tasks


def normalised(log_odds: Matrix) -> Matrix:
    """(n, k) log-odds of each label by itself → (n, k) probabilities, rows summing to one.

    As scikit-learn's CalibratedClassifierCV does it: each label's own probability over their sum.
    """
    own = np.maximum(expit(log_odds), TINY)
    result: Matrix = own / own.sum(axis=1, keepdims=True)
    return result


def tempered(probabilities: Matrix, temperature: float) -> Matrix:
    """Probabilities made flatter (temperature over 1) or sharper (under 1) (Guo et al. 2017)."""
    powers = np.maximum(probabilities, TINY) ** (1 / temperature)
    result: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return result


def lifted(probabilities: Probabilities, lifts: Mapping[str, Matrix], lent: Sequence[str] = ()) -> Probabilities:
    """The tasks of `lifts` made likelier or less likely, as they go with the likely categories.

    lifts: task → (categories, labels) how many times likelier a label is under a category than over all.
    lent: the tasks of which the categories are those of the lender.
    """
    result = dict(probabilities)
    for task, lift in lifts.items():
        category = probabilities[LENDER if task in lent else "category"]
        raised = probabilities[task] * np.einsum("nc,cl->nl", category, lift)
        result[task] = raised / raised.sum(axis=1, keepdims=True)
    return result


@dataclass(frozen=True)
class Heads:
    """Linear classifiers over the same features, each label calibrated by Platt's sigmoid.

    weights: (features, labels of all tasks) float32, bias: (labels of all tasks,) float32; what they
    give are log-odds, the slopes and offsets of the sigmoids multiplied in.
    widths: task → number of its labels, in the order of the columns.
    temperatures: task → what is left to make the probabilities as sure as they are right.
    lifts: task → (categories, labels) what the category says about it; none for a task by itself.
    lent: the tasks that come, weights and lifts, from a model of other categories; these stand in the columns of
    `LENDER`, so that such a task is answered as that model would answer it.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    widths: Mapping[str, int]
    temperatures: Mapping[str, float]
    lifts: Mapping[str, Matrix] = field(default_factory=dict)
    lent: tuple[str, ...] = ()

    def columns(self, task: str) -> slice:
        """Where the columns of a task stand."""
        tasks = list(self.widths)
        start = sum(self.widths[other] for other in tasks[: tasks.index(task)])
        return slice(start, start + self.widths[task])

    def log_odds(self, matrix: csr_matrix) -> Matrix:
        """(n, features) → (n, labels of all tasks) log-odds of each label by itself."""
        result: Matrix = (matrix @ self.weights).astype(np.float64) + self.bias
        return result

    @cached_property
    def _shape(self) -> tuple[list[int], list[int], NDArray[np.float64]]:
        """Where tasks begin, how many labels they have, and the exponents that their temperatures are."""
        widths = list(self.widths.values())
        starts = [sum(widths[:number]) for number in range(len(widths))]
        return starts, widths, np.repeat([1 / self.temperatures[task] for task in self.widths], widths)

    def probabilities(self, matrix: csr_matrix, *, calibrated: bool = True) -> Probabilities:
        """(n, features) → task → (n, its labels); uncalibrated they equal scikit-learn's predict_proba."""
        starts, widths, exponents = self._shape
        own = np.maximum(expit(self.log_odds(matrix)), TINY)
        if calibrated:
            own **= exponents
        own /= np.add.reduceat(own, starts, axis=1).repeat(widths, axis=1)
        each = {
            task: own[:, start : start + width] for task, start, width in zip(self.widths, starts, widths, strict=True)
        }
        answers = lifted(each, self.lifts, self.lent) if calibrated else each
        answers.pop(LENDER, None)
        return answers
