"""The learning curve: what more labelled rows would be worth, told by fits on fewer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from nlp.heads import Matrix
from training.heads import Columns, FitSettings, Material, folds, learnable, machine
from training.resampling import interval, resampled_f1

SHARES = (0.125, 0.25, 0.5, 1.0)
MOST = 20_000  # rows: more would cost minutes and move the curve by less than its interval
TIMES = 100  # laws that are fitted to resampled points
POWERS = (0.05, 1.0)  # no slower and no faster than learning curves are found to be (Hestness et al. 2017)
FEWEST = 3  # points that a law of three numbers needs
Law = NDArray[np.float64]
"""(3,) the a, b, c of a − b·n^−c."""


@dataclass(frozen=True)
class Curve:
    """Macro-F1 on held-out rows after learning from more and more rows.

    rows: how many each fit learned from. scores: (points,) macro-F1. resampled: (times, points) the same on
    resampled held-out rows. held: how many they are. total: all labelled rows, from which the owners would go on.
    """

    rows: tuple[int, ...]
    scores: NDArray[np.float64]
    resampled: Matrix
    held: int
    total: int

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """The 95 % interval of each point."""
        return [interval(column) for column in self.resampled.T]

    @cached_property
    def law(self) -> Law | None:
        """The power law through the points, none where they are too few."""
        return power_law(self.rows, self.scores) if len(set(self.rows)) >= FEWEST else None

    @cached_property
    def laws(self) -> Matrix:
        """(times, 3) the power laws through the resampled points."""
        fitted = [power_law(self.rows, scores) for scores in self.resampled] if self.law is not None else []
        return np.array(fitted).reshape(-1, 3)

    def reached(self, rows: int) -> tuple[float, float]:
        """The macro-F1 to be expected after learning from so many rows, and half the width of its 95 % interval.

        The interval holds the chance of which rows were held out, not that the law itself may be wrong.
        """
        if self.law is None:
            raise ValueError("a curve of fewer than three points has no law")
        low, high = interval(value_at(self.laws, rows))
        return float(value_at(self.law, rows)), float(high - low) / 2

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `after_1000_more`: macro-F1 and its ±."""
        more = None if self.law is None else [round(value, 4) for value in self.reached(self.total + 1000)]
        return {
            "rows": list(self.rows),
            "macro_f1": [round(float(score), 4) for score in self.scores],
            "intervals": [[round(edge, 4) for edge in edges] for edges in self.intervals],
            "held_out": self.held,
            "labelled": self.total,
            "law": None if self.law is None else [round(float(value), 6) for value in self.law],
            "after_1000_more": more,
        }


def curve(material: Material, columns: Columns, width: int, settings: FitSettings = FitSettings()) -> Curve:
    """Fit the machine on growing shares of the rows and judge every fit on the same held-out ones.

    columns: (rows,) of one task, `MISSING` where nobody labelled. width: how many labels there are. No group stands
    on both sides. Without two labels that can be learned the curve has no points.
    """
    total = int(learnable(columns, settings).sum())
    rows = _chosen(columns, settings)
    if len(np.unique(columns[rows])) < 2:
        return Curve((), np.empty(0), np.empty((TIMES, 0)), 0, total)
    rest, held = (rows[part] for part in folds(columns[rows], material.groups[rows], settings)[0])
    parts = _growing(rest, columns, settings)
    matrix, each = material.matrix, [machine(settings, material.prior) for _ in parts]
    fitted = [one.fit(matrix[part], columns[part]) for one, part in zip(each, parts, strict=True)]
    answers = np.array([one.predict(matrix[held]) for one in fitted])
    answers = answers.reshape(-1, len(held))
    scores = [_macro_f1(columns[held], answer, width) for answer in answers]
    drawn = resampled_f1(columns[held], answers, TIMES)
    return Curve(tuple(map(len, parts)), np.array(scores), drawn, len(held), total)


def _chosen(columns: Columns, settings: FitSettings) -> NDArray[np.intp]:
    """Rows with a label that can be learned, at most `MOST`, in an order by chance."""
    known = np.random.default_rng(settings.seed).permutation(np.flatnonzero(learnable(columns, settings)))[:MOST]
    return known[learnable(columns[known], settings)]


def _growing(rest: NDArray[np.intp], columns: Columns, settings: FitSettings) -> list[NDArray[np.intp]]:
    """The growing parts of the rows, each within the next; none of one label, or of a row a label."""
    mixed = np.random.default_rng(settings.seed).permutation(rest)
    parts = [mixed[: max(1, round(share * len(mixed)))] for share in SHARES]
    return [part for part in parts if 2 <= len(np.unique(columns[part])) <= len(part) / 2]


def _macro_f1(labels: Columns, answers: Columns, width: int) -> float:
    given, answered = np.bincount(labels, minlength=width), np.bincount(answers, minlength=width)
    both = np.bincount(labels[labels == answers], minlength=width)
    present = given + answered > 0
    return float((2 * both[present] / (given + answered)[present]).mean())


def power_law(rows: tuple[int, ...], scores: NDArray[np.float64]) -> Law:
    """The a, b, c of a − b·n^−c with the least squares; a at most 1, b at least 0, c within `POWERS`."""
    sizes = np.array(rows, np.float64) / max(rows)  # near one: b stays within reach of the others

    def off(law: Law) -> NDArray[np.float64]:
        return value_at(law, sizes) - scores

    def slopes(law: Law) -> Matrix:
        power = sizes ** -law[2]
        return np.stack([np.ones_like(sizes), -power, law[1] * power * np.log(sizes)], axis=1)

    start = (min(0.99, float(scores.max()) + 0.05), 0.05, 0.3)
    found = least_squares(off, start, slopes, bounds=((0, 0, POWERS[0]), (1, np.inf, POWERS[1])))
    a, b, c = found.x
    return np.array([a, b * float(max(rows)) ** c, c])


def value_at(laws: NDArray[np.float64], rows: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """What laws, (3,) or (times, 3), say of a number of rows; between 0 and 1."""
    a, b, c = np.moveaxis(laws, -1, 0)
    values: NDArray[np.float64] = np.clip(a - b * np.asarray(rows, np.float64) ** -c, 0, 1)
    return values
