"""Scores equal scikit-learn's on the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, top_k_accuracy_score

from training.calibration import wilson
from training.scores import TaskScore


def drawn(seed: int, rows: int = 300, width: int = 6) -> TaskScore:
    random = np.random.default_rng(seed)
    marginals = random.dirichlet(np.full(width, 0.7), rows)
    labels = np.where(random.random(rows) < 0.5, marginals.argmax(axis=1), random.integers(0, width - 1, rows))
    best = np.where(random.random(rows) < 0.9, marginals.argmax(axis=1), random.integers(0, width, rows))
    return TaskScore(best, labels, marginals)


@pytest.fixture(params=range(4))
def score(request: pytest.FixtureRequest) -> TaskScore:
    return drawn(request.param)


def test_accuracy_is_that_of_scikit_learn(score: TaskScore) -> None:
    assert score.accuracy == pytest.approx(accuracy_score(score.labels, score.best))


def test_f1_is_that_of_scikit_learn(score: TaskScore) -> None:
    columns = sorted(score.f1)
    assert [score.f1[column] for column in columns] == pytest.approx(
        f1_score(score.labels, score.best, labels=columns, average=None)
    )
    assert score.macro_f1 == pytest.approx(f1_score(score.labels, score.best, average="macro"))


def test_labels_that_are_neither_given_nor_answered_do_not_count() -> None:
    score = TaskScore(np.array([0, 2]), np.array([0, 0]), np.full((2, 5), 0.2))
    assert set(score.f1) == {0, 2}
    assert score.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_among_is_the_top_k_of_scikit_learn(score: TaskScore, count: int) -> None:
    known = top_k_accuracy_score(score.labels, score.marginals, k=count, labels=range(6))
    assert score.among(count) == pytest.approx(known)


def test_kappa_is_the_quadratic_one_of_scikit_learn(score: TaskScore) -> None:
    known = cohen_kappa_score(score.labels, score.best, labels=list(range(6)), weights="quadratic")
    assert score.kappa == pytest.approx(known)


def test_kappa_of_one_single_label_is_one() -> None:
    assert TaskScore(np.zeros(4, np.int64), np.zeros(4, np.int64), np.ones((4, 3)) / 3).kappa == 1


def test_kappa_of_opposite_answers_is_minus_one() -> None:
    score = TaskScore(np.array([0, 4] * 5), np.array([4, 0] * 5), np.full((10, 5), 0.2))
    assert score.kappa == pytest.approx(-1)


def test_the_interval_holds_the_accuracy(score: TaskScore) -> None:
    low, high = score.interval
    assert low < score.accuracy < high
    assert (low, high) == wilson(int(score.right.sum()), 300)


def test_no_rows_have_no_scores() -> None:
    none = TaskScore(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 5)))
    assert (none.accuracy, none.macro_f1, none.among(3), none.calibration_error) == (0, 0, 0, 0)
    assert none.interval == (0, 1)


def test_the_figures_are_those_of_the_contract(score: TaskScore) -> None:
    told = score.as_dict()
    assert set(told) == {"accuracy", "macro_f1", "interval", "calibration_error"}
    assert told["accuracy"] == round(score.accuracy, 4)
    assert len(told["interval"]) == 2
