"""When to ask a human: the thresholds that a model learned on held-out petitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.heads import Matrix


@dataclass(frozen=True)
class Thresholds:
    """With a category less probable than `confidence`, or a lead of less than `margin` between the
    first two categories, a human is asked; `error` is the share of wrong categories
    that the confidence threshold promises among those answered without one. `asked` stands in the place of
    `confidence` where the encoder had a say; none in a model without one.
    """

    confidence: float
    margin: float
    error: float
    asked: float | None = None

    def least(self, asked: NDArray[np.bool_] | np.bool_) -> NDArray[np.float64]:
        """The confidence that each petition needs, in the shape of `asked`: whether the encoder had a say."""
        return np.where(asked, self.confidence if self.asked is None else self.asked, self.confidence)


def margins(category: Matrix) -> NDArray[np.float64]:
    """(n, k) probabilities → (n,) how far the first leads the second."""
    if category.shape[1] < 2:
        return np.ones(len(category))
    top = np.partition(category, -2, axis=1)[:, -2:]
    lead: NDArray[np.float64] = top[:, 1] - top[:, 0]
    return lead
