"""The figures of a report: confusions, scores of each label, calibration, coverage against error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.resampling import interval, resampled_f1
from training.scores import TaskScore

MOST = 30  # labels that the picture of the confusions shows by themselves
OTHERS = -1  # the column that stands for all further labels
WORST = 15  # confusions that are listed
EXAMPLES = 3
BINS = 10
POINTS = 200  # of the coverage curve


@dataclass(frozen=True)
class LabelScore:
    """How well one label is answered: shares of its rows and of its answers, and how many there are."""

    column: int
    precision: float
    recall: float
    f1: float
    rows: int
    answered: int


@dataclass(frozen=True)
class Confusion:
    """A label that was answered as another one, how often, and the first rows of the score where it was."""

    given: int
    answered: int
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True)
class Bin:
    """Answers of about the same confidence: the mean of it, the share that was right, how many."""

    confidence: float
    right: float
    rows: int


def label_scores(score: TaskScore) -> list[LabelScore]:
    """Every label that is given or answered, in the order of the taxonomy."""
    width = score.marginals.shape[1]
    given, answered = np.bincount(score.labels, minlength=width), np.bincount(score.best, minlength=width)
    both = np.bincount(score.labels[score.right], minlength=width)
    return [
        LabelScore(
            int(column),
            float(both[column] / max(1, answered[column])),
            float(both[column] / max(1, given[column])),
            float(2 * both[column] / (given[column] + answered[column])),
            int(given[column]),
            int(answered[column]),
        )
        for column in np.flatnonzero(given + answered)
    ]


def confusions(score: TaskScore) -> list[Confusion]:
    """The most frequent confusions, each with its examples; the surest wrong answers come first."""
    wrong = np.flatnonzero(~score.right)
    wrong = wrong[np.argsort(-score.confidence[wrong], kind="stable")]
    pairs = np.stack([score.labels[wrong], score.best[wrong]])
    kinds, inverse, counts = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    kind = inverse.ravel()
    worst = np.argsort(-counts, kind="stable")[:WORST].tolist()
    return [
        Confusion(int(kinds[0, one]), int(kinds[1, one]), int(counts[one]), _first(wrong[kind == one])) for one in worst
    ]


def _first(rows: NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(rows[:EXAMPLES].tolist())


def confusion_table(score: TaskScore, most: int = MOST) -> tuple[list[int], NDArray[np.int64]]:
    """The columns shown, `OTHERS` last if there are more than `most`, and the (given, answered) counts of rows."""
    width = score.marginals.shape[1]
    given, answered = np.bincount(score.labels, minlength=width), np.bincount(score.best, minlength=width)
    order = np.lexsort((-answered, -given))
    used = [column for column in order.tolist() if given[column] + answered[column]]
    shown = used[:most]
    place = np.full(width, len(shown))
    place[shown] = np.arange(len(shown))
    table = np.zeros((len(shown) + (len(used) > most),) * 2, np.int64)
    np.add.at(table, (place[score.labels], place[score.best]), 1)
    return shown + [OTHERS] * (len(used) > most), table


def bins(score: TaskScore) -> list[Bin]:
    """The answers by their confidence, in bins of equal width, empty ones left out."""
    places = np.minimum((score.confidence * BINS).astype(int), BINS - 1)
    found = (places == number for number in range(BINS))
    return [
        Bin(float(score.confidence[here].mean()), float(score.right[here].mean()), int(here.sum()))
        for here in found
        if here.any()
    ]


def coverage(score: TaskScore) -> NDArray[np.float64]:
    """(points, 3) confidence, share of rows with at least that, share of wrong answers among those."""
    order = np.argsort(-score.confidence, kind="stable")
    ordered = score.confidence[order]
    wrong = np.cumsum(~score.right[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(order)])
    kept = last[np.unique(np.linspace(0, len(last) - 1, min(POINTS, len(last))).round().astype(int))]
    return np.stack([ordered[kept], (kept + 1) / max(1, len(order)), wrong[kept]], axis=1)


def macro_f1_interval(score: TaskScore) -> tuple[float, float]:
    """The 95 % interval of the macro-F1 (bootstrap over rows)."""
    if not len(score.labels):
        return 0.0, 1.0
    return interval(resampled_f1(score.labels, np.asarray(score.best, np.int64)[None])[:, 0])


def label_record(one: LabelScore, code: str) -> dict[str, Any]:
    """The scores of a label as JSON has them."""
    return {
        "code": code,
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "f1": round(one.f1, 4),
        "rows": one.rows,
        "answered": one.answered,
    }
