"""Heads equal the estimators of scikit-learn that they come from, and never answer what they did not learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array
from sklearn.calibration import CalibratedClassifierCV

from nlp.heads import Heads
from training.dataset import MISSING
from training.heads import FitSettings, Fitted, fit_head, fit_heads, folds, learnable, machine

SETTINGS = FitSettings(jobs=1)
ROWS, FEATURES = 160, 40


@pytest.fixture(scope="module")
def matrix() -> csr_matrix:
    dense = random_array((ROWS, FEATURES), density=0.3, rng=np.random.default_rng(3), format="csr")
    return csr_matrix(dense, dtype=np.float32)


def labels(matrix: csr_matrix, width: int) -> NDArray[np.int64]:
    """Labels that the first features tell, mostly."""
    noise = np.random.default_rng(4).random((ROWS, width)) * 0.3
    return (matrix[:, :width].toarray() + noise).argmax(axis=1).astype(np.int64)


def estimator(columns: NDArray[np.int64]) -> CalibratedClassifierCV:
    """The same head by scikit-learn alone."""
    apart = folds(columns, np.arange(len(columns)), SETTINGS)
    return CalibratedClassifierCV(machine(SETTINGS), method="sigmoid", cv=apart, ensemble=False)


def probabilities(head: Fitted, matrix: csr_matrix) -> NDArray[np.float64]:
    heads = Heads(head.weights, head.bias, {"task": len(head.bias)}, {"task": 1.0})
    return heads.probabilities(matrix, calibrated=False)["task"]


@pytest.mark.parametrize("width", [2, 3, 6])
def test_a_head_gives_what_its_estimator_gives(matrix: csr_matrix, width: int) -> None:
    columns = labels(matrix, width)
    known = estimator(columns).fit(matrix, columns).predict_proba(matrix)
    assert np.allclose(
        probabilities(fit_head(matrix, columns, np.arange(len(columns)), width, SETTINGS), matrix), known, atol=1e-5
    )


def test_labels_with_too_few_rows_are_never_answered(matrix: csr_matrix) -> None:
    columns = labels(matrix, 4) + 1
    columns[:3] = 0
    head = fit_head(matrix, columns, np.arange(len(columns)), 7, SETTINGS)
    answered = probabilities(head, matrix)
    assert head.known.tolist() == [False] * 3 + [True] * (ROWS - 3)
    assert answered[:, [0, 5, 6]].max() < 1e-9
    assert head.held[head.known][:, [0, 5, 6]].max() < 1e-9


def test_rows_without_a_label_are_left_out(matrix: csr_matrix) -> None:
    columns = labels(matrix, 3)
    columns[::5] = MISSING
    head = fit_head(matrix, columns, np.arange(len(columns)), 3, SETTINGS)
    assert head.known.tolist() == [number % 5 > 0 for number in range(ROWS)]
    rows = columns != MISSING
    known = estimator(columns[rows]).fit(matrix[rows], columns[rows]).predict_proba(matrix)
    assert np.allclose(probabilities(head, matrix), known, atol=1e-5)


@pytest.mark.parametrize("pair", [(0, 1), (1, 4), (4, 2)])
def test_two_labels_are_enough_wherever_they_stand(matrix: csr_matrix, pair: tuple[int, int]) -> None:
    columns = np.array(pair)[labels(matrix, 2)]
    head = fit_head(matrix, columns, np.arange(len(columns)), 5, SETTINGS)
    answered = probabilities(head, matrix)
    known = estimator(columns).fit(matrix, columns).predict_proba(matrix)
    assert np.allclose(answered[:, sorted(pair)], known, atol=1e-5)
    assert answered[:, [column for column in range(5) if column not in pair]].max() < 1e-9
    assert np.allclose(head.held[:, list(pair)].sum(axis=1), 1)


def test_held_out_answers_know_nothing_of_their_row() -> None:
    random = np.random.default_rng(9)
    wide = csr_matrix(random.random((ROWS, 2000)), dtype=np.float32)
    columns = random.integers(0, 2, ROWS)
    support = machine(SETTINGS).fit(wide, columns)
    held = fit_head(wide, columns, np.arange(len(columns)), 2, SETTINGS).held
    assert (support.predict(wide) == columns).all()
    assert 0.3 < (held.argmax(axis=1) == columns).mean() < 0.7
    assert np.allclose(held.sum(axis=1), 1)


def test_what_can_be_learned_stands_in_every_fold() -> None:
    columns = np.array([0, 0, 0, 0, 1, 1, 1, MISSING, MISSING, MISSING, MISSING])
    assert learnable(columns, SETTINGS).tolist() == [True] * 4 + [False] * 7


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_tasks_are_fitted_whatever_the_number_of_jobs(matrix: csr_matrix, jobs: int) -> None:
    tasks = {"one": labels(matrix, 3), "two": labels(matrix, 2)}
    steps: list[int] = []
    fitted = fit_heads(
        matrix, tasks, np.arange(ROWS), {"one": 3, "two": 2}, FitSettings(jobs=jobs), lambda: steps.append(1)
    )
    assert list(fitted) == ["one", "two"]
    assert len(steps) == 2
    assert np.array_equal(
        fitted["two"].weights, fit_head(matrix, tasks["two"], np.arange(len(tasks["two"])), 2, SETTINGS).weights
    )


def test_no_group_stands_on_both_sides_of_a_fold() -> None:
    labels, groups = np.arange(400) % 3, np.arange(400) // 10
    apart = folds(labels, groups, SETTINGS)
    assert sorted(np.concatenate([held for _, held in apart]).tolist()) == list(range(400))
    assert all(not set(groups[rest]) & set(groups[held]) for rest, held in apart)


@pytest.mark.parametrize("groups", [np.zeros(40, np.int64), np.arange(40) // 20, np.arange(40) % 8, np.arange(40)])
def test_every_fold_learns_every_label_whatever_the_groups(groups: NDArray[np.int64]) -> None:
    labels = np.where(groups % 8 == 3, 1, np.arange(40) % 2 * 2)
    labels[:4] = 1
    assert all(len(held) and set(labels[rest]) == set(labels) for rest, held in folds(labels, groups, SETTINGS))
