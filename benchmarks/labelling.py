"""How many labels choosing saves: what `jiesu label next` picks against random picks, on labelled letters.

Of each draw a fifth of the groups is the test; labels are bought from the rest, fifty at a time. The macro-F1 is that
of the same linear model (training.machine) on the same features, made once of all texts and no labels. Run it by
`python -m benchmarks labelling`, or on other letters (columns title, text, label, group) by
`python -m benchmarks.labelling LETTERS [DRAWS]`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.metrics import f1_score

from benchmarks.measure import figure, tell
from nlp.features import Features, FeatureSettings, weighted
from nlp.heads import Matrix, normalised
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.thresholds import margins
from training.heads import FitSettings, Material, fit_heads, machine
from training.label.next import choose
from training.vocabulary import choose as choose_vocabulary

LETTERS = Path(__file__).parent.parent.parent / "shared" / "data" / "teddy2020c_labelled.jsonl"
FIRST, BATCH, MOST = 50, 50, 1000  # labels
DRAWS = 10
SHARPNESS = 3.0  # of the softmax over the machine's scores, which lie about 1 apart
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Letters:
    """Labelled letters: (rows, features) TF-IDF, (rows,) labels and (rows,) groups as numbers."""

    matrix: csr_matrix
    labels: Rows
    groups: Rows

    @property
    def width(self) -> int:
        """How many labels there are."""
        return int(self.labels.max()) + 1


def letters(titles: list[str], texts: list[str], labels: list[str], groups: list[str]) -> Letters:
    """The features of all letters, made once."""
    settings = FeatureSettings()
    features = Features(settings, open_segmenter(settings.segmenter))
    read = Reader().fields([field for pair in zip(titles, texts, strict=True) for field in pair]).texts
    tokens = features.tokens(read)
    vocabulary, idf = choose_vocabulary(read, tokens)
    counts = features.counts(tokens, vocabulary.table.columns(tokens.key), len(texts), len(vocabulary))
    numbers = [np.unique(names, return_inverse=True)[1].astype(np.int64) for names in (labels, groups)]
    return Letters(weighted(counts, idf), numbers[0], numbers[1])


@dataclass(frozen=True)
class Stand:
    """Where a draw stands: the letters, those labelled, those that could be, and the model so far."""

    letters: Letters
    known: Rows
    open: Rows
    scores: Matrix
    random: np.random.Generator

    @property
    def soft(self) -> Matrix:
        """(open, labels) the scores made probabilities, without calibration."""
        probabilities: Matrix = softmax(SHARPNESS * self.scores, axis=1)
        return probabilities

    @property
    def calibrated(self) -> Matrix:
        """(open, labels) the probabilities that a model fitted on the known labels would give."""
        rows, labels = self.letters.matrix[self.known], {"category": self.letters.labels[self.known]}
        widths = {"category": self.letters.width}
        head = fit_heads(Material(rows, self.known), labels, widths, FitSettings(jobs=1), lambda: None)["category"]
        return normalised((self.letters.matrix[self.open] @ head.weights).astype(np.float64) + head.bias)


def _random(stand: Stand) -> Rows:
    return stand.random.choice(len(stand.open), BATCH, replace=False)


def _next(stand: Stand) -> Rows:
    """As `jiesu label next` does it."""
    return choose(stand.letters.matrix[stand.open], margins(stand.calibrated), BATCH)


def _margin(stand: Stand) -> Rows:
    return np.argsort(margins(stand.soft))[:BATCH]


STRATEGIES: dict[str, Callable[[Stand], Rows]] = {"random": _random, "next": _next, "margin": _margin}


def grow(data: Letters, strategy: str, draw: int, most: int = MOST) -> dict[int, float]:
    """Labels bought → macro-F1 on the test, from `FIRST` random ones to `most`."""
    random = np.random.default_rng(draw)
    groups = random.permutation(np.unique(data.groups))
    is_test = np.isin(data.groups, groups[: len(groups) // 5])
    pool, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    known = random.choice(pool, FIRST, replace=False)
    reached: dict[int, float] = {}
    while True:
        model = machine(FitSettings()).fit(data.matrix[known], data.labels[known])
        answers = model.predict(data.matrix[test])
        reached[len(known)] = float(f1_score(data.labels[test], answers, average="macro"))
        if len(known) >= most:
            return reached
        rest = np.setdiff1d(pool, known)
        scores = np.full((len(rest), data.width), -2.0)
        scores[:, model.classes_] = model.decision_function(data.matrix[rest])
        known = np.concatenate([known, rest[STRATEGIES[strategy](Stand(data, known, rest, scores, random))]])


def needed(curve: dict[int, float], goal: float) -> int:
    """The fewest labels from which on a curve stays at the goal or above it."""
    labels = sorted(curve)
    short = [size for size in labels if curve[size] < goal]
    return next((size for size in labels if not short or size > max(short)), labels[-1] + BATCH)


def mean(curves: list[dict[int, float]]) -> dict[int, float]:
    """The mean of several curves."""
    return {size: float(np.mean([curve[size] for curve in curves])) for size in curves[0]}


def read(path: Path) -> Letters:
    """Letters from JSONL."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return letters(*([str(row[name]) for row in rows] for name in ("title", "text", "label", "group")))


def run(path: Path = LETTERS, draws: int = DRAWS) -> None:
    """Print for each strategy the macro-F1 at some sizes and the labels it needs for what random ones reach."""
    data = read(path)
    curves = {name: [grow(data, name, draw) for draw in range(draws)] for name in STRATEGIES}
    means = {name: mean(each) for name, each in curves.items()}
    goal = means["random"][MOST]
    for name, curve in means.items():
        for size in (100, 200, 500, 750, MOST):
            tell(figure(f"labelling.{name}.{size}.macro_f1", curve[size], "macro-F1", means["random"][size]))
        tell(figure(f"labelling.{name}.labels_needed", needed(curve, goal), "labels", MOST))
    at_goal = [ours[750] >= theirs[MOST] for ours, theirs in zip(curves["next"], curves["random"], strict=True)]
    tell(figure("labelling.next.draws_at_goal_with_750", float(np.mean(at_goal)), "share of draws"))


if __name__ == "__main__":
    run(Path(sys.argv[1]) if len(sys.argv) > 1 else LETTERS, int(sys.argv[2]) if len(sys.argv) > 2 else DRAWS)
