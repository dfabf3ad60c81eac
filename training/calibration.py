"""Calibrate on held-out scores: temperatures, the threshold that keeps a promise, the error left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from nlp.heads import Matrix, lifted, tempered

BINS = 15
NEVER = 1.01  # a confidence that no answer has
PRIOR = 20  # rows that each category is given beforehand, labelled like all rows
TIE = 0.05  # a lead of the first category smaller than this is no lead


def temperature(probabilities: Matrix, columns: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood on held-out rows (Guo et al. 2017)."""
    rows = np.arange(len(columns))

    def loss(logarithm: float) -> float:
        likelihood = tempered(probabilities, float(np.exp(logarithm)))[rows, columns]
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x)), 4)


def lift(categories: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Matrix:
    """(categories, labels) of `shape`: P(label | category) / P(label), towards 1 where rows are few."""
    together = np.zeros(shape)
    np.add.at(together, (categories, columns), 1)
    share = together.sum(axis=0) / max(1, len(columns))
    given = (together + PRIOR * share) / (together.sum(axis=1, keepdims=True) + PRIOR)
    lifts: Matrix = np.divide(given, share, out=np.ones(shape), where=share > 0)
    return lifts


def settled(probabilities: Matrix, columns: NDArray[np.int64], category: Matrix, full: Matrix) -> tuple[float, Matrix]:
    """The temperature of a task and the power of its full lift with the least negative log-likelihood together.

    probabilities: (n, labels) held-out. category: (n, categories) calibrated. Returns the lift to that power;
    without rows neither changes anything.
    """
    if not len(columns):
        return 1.0, np.ones_like(full)
    rows = np.arange(len(columns))

    def loss(point: NDArray[np.float64]) -> float:
        heads = {"category": category, "": tempered(probabilities, float(np.exp(point[0])))}
        likelihood = lifted(heads, {"": full ** point[1]})[""][rows, columns]
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    found = minimize(loss, (0.0, 0.5), method="Nelder-Mead", bounds=((-2, 2), (0, 1)), options={"xatol": 1e-3}).x
    return round(float(np.exp(found[0])), 4), (full ** float(found[1])).round(4)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over `BINS` bins of equal width (Naeini et al. 2015)."""
    if not len(right):
        return 0.0
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.abs(np.bincount(bins, confidence - right, BINS))
    return float(gaps.sum() / len(right))


def threshold(confidence: NDArray[np.float64], right: NDArray[np.bool_], error: float) -> float:
    """The lowest confidence at which those above it are wrong in at most the share `error`."""
    level = np.floor(confidence * 1e6) / 1e6
    order = np.argsort(-level, kind="stable")
    ordered = level[order]
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(order)]  # ties are answered together or not at all
    kept = np.flatnonzero((wrong <= error) & last)
    return float(ordered[kept[-1]]) if len(kept) else NEVER


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    z, share = 1.959964, right / total
    centre = share + z * z / (2 * total)
    spread = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return float((centre - spread) / scale), float((centre + spread) / scale)
