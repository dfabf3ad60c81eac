"""Cascade: the linear model answers what it is sure of, the encoder the rest; both are weighed on held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nlp.encoder import mixture
from nlp.heads import Matrix, Probabilities
from training.calibration import threshold
from training.heads import Columns

LOSS = 0.005  # of accuracy, that the cascade may lose against asking the encoder always
STEPS = 200  # thresholds that are tried


@dataclass(frozen=True)
class Point:
    """With this threshold a share `cost` of the petitions goes to the encoder, and `accuracy` of all are right."""

    asked: float
    cost: float
    accuracy: float


@dataclass(frozen=True)
class Cascade:
    """Both models together.

    mix: task → weights of the linear model's and the encoder's logarithms. asked: the threshold. points: what every
    threshold costs and reaches, from asking never to asking always. confidence: for answers without a human where the
    encoder was asked. rows: the held-out rows that this was fitted on.
    """

    mix: dict[str, tuple[float, float]]
    asked: float
    points: tuple[Point, ...]
    confidence: float
    rows: int

    @property
    def chosen(self) -> Point:
        """The point of the threshold in force."""
        return next(point for point in self.points if point.asked == self.asked)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a model's card."""
        return {
            "rows": self.rows,
            "share_asked": round(self.chosen.cost, 4),
            "accuracy": round(self.chosen.accuracy, 4),
            "accuracy_never_asked": round(self.points[0].accuracy, 4),
            "accuracy_always_asked": round(self.points[-1].accuracy, 4),
            "points": [
                [round(p.asked, 4), round(p.cost, 4), round(p.accuracy, 4)] for p in self.points[:: STEPS // 20]
            ],
        }


def cascade(linear: Probabilities, encoder: Probabilities, labels: Mapping[str, Columns], error: float) -> Cascade:
    """Weigh two models on rows that neither has seen; the first task decides who is asked.

    linear, encoder: task → (rows, labels). labels: task → (rows,) columns, negative where there is none. error: the
    share of wrong answers that those without a human may have.
    """
    mix = {task: weights(linear[task], encoder[task], labels[task]) for task in encoder}
    first = next(iter(encoder))
    known = labels[first] >= 0
    alone, columns = linear[first][known], labels[first][known]
    both = mixture(alone, encoder[first][known], mix[first])
    points = costs(alone, both, columns)
    enough = points[-1].accuracy - LOSS
    chosen = next(point for point in points if point.accuracy >= enough)
    asked = alone.max(axis=1) < chosen.asked
    sure, right = both.max(axis=1)[asked], (both.argmax(axis=1) == columns)[asked]
    return Cascade(mix, chosen.asked, points, threshold(sure, right, error), len(columns))


def weights(one: Matrix, other: Matrix, columns: Columns) -> tuple[float, float]:
    """The weights of two models' logarithms with the least negative log-likelihood; none is negative.

    Without a labelled row the first model answers alone.
    """
    known = columns >= 0
    if not known.any():
        return 1.0, 0.0
    rows, first, second = columns[known], one[known], other[known]
    places = np.arange(len(rows))

    def loss(point: NDArray[np.float64]) -> float:
        likelihood = mixture(first, second, point.tolist())[places, rows]
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    found = minimize(loss, (0.5, 0.5), method="Nelder-Mead", bounds=((0, 4), (0, 4)), options={"xatol": 1e-3}).x
    return round(float(found[0]), 4), round(float(found[1]), 4)


def costs(alone: Matrix, both: Matrix, columns: Columns) -> tuple[Point, ...]:
    """What each threshold on the linear model's confidence costs and reaches, cheapest first; without rows “never”."""
    if not len(columns):
        return (Point(0.0, 0.0, 0.0),)
    sure = alone.max(axis=1)
    cheap, dear = alone.argmax(axis=1) == columns, both.argmax(axis=1) == columns
    limits = np.quantile(sure, np.linspace(0, 1, STEPS))
    points = []
    for limit in (0.0, *limits.tolist(), 1.01):
        asked = sure < limit
        points.append(Point(float(limit), float(asked.mean()), float(np.where(asked, dear, cheap).mean())))
    return tuple(points)
