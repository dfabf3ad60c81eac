"""Heads equal the estimators of scikit-learn that they come from, and never answer what they did not learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from nlp.heads import Heads, normalised
from training.dataset import MISSING
from training.heads import (
    FitSettings,
    Fitted,
    Material,
    fit_head,
    fit_heads,
    folds,
    learnable,
    machine,
    sigmoid,
    sigmoids,
)

SETTINGS = FitSettings(jobs=1)
ROWS, FEATURES = 160, 40


@pytest.fixture(scope="module")
def matrix() -> csr_matrix:
    dense = random_array((ROWS, FEATURES), density=0.3, rng=np.random.default_rng(3), format="csr")
    return csr_matrix(dense, dtype=np.float32)


def alone(matrix: csr_matrix) -> Material:
    """Rows of which none belongs to another."""
    return Material(matrix, np.arange(matrix.shape[0]))


def labels(matrix: csr_matrix, width: int) -> NDArray[np.int64]:
    """Labels that the first features tell, mostly."""
    noise = np.random.default_rng(4).random((ROWS, width)) * 0.3
    return (matrix[:, :width].toarray() + noise).argmax(axis=1).astype(np.int64)


def estimator(columns: NDArray[np.int64]) -> CalibratedClassifierCV:
    """The same head by scikit-learn alone."""
    apart = folds(columns, np.arange(len(columns)), SETTINGS)
    return CalibratedClassifierCV(machine(SETTINGS), method="sigmoid", cv=apart, ensemble=False)


def apart(share: int) -> NDArray[np.bool_]:
    """Every so many-th row is held out."""
    held: NDArray[np.bool_] = np.arange(ROWS) % share == 0
    return held


def probabilities(head: Fitted, matrix: csr_matrix) -> NDArray[np.float64]:
    heads = Heads(head.weights, head.bias, {"task": len(head.bias)}, {"task": 1.0})
    return heads.probabilities(matrix, calibrated=False)["task"]


@pytest.mark.parametrize("width", [2, 3, 6])
def test_a_head_gives_what_its_estimator_gives(matrix: csr_matrix, width: int) -> None:
    columns = labels(matrix, width)
    known = estimator(columns).fit(matrix, columns).predict_proba(matrix)
    assert np.allclose(probabilities(fit_head(alone(matrix), columns, width, SETTINGS), matrix), known, atol=1e-5)


def test_labels_with_too_few_rows_are_never_answered(matrix: csr_matrix) -> None:
    columns = labels(matrix, 4) + 1
    columns[:3] = 0
    head = fit_head(alone(matrix), columns, 7, SETTINGS)
    answered = probabilities(head, matrix)
    assert head.known.tolist() == [False] * 3 + [True] * (ROWS - 3)
    assert answered[:, [0, 5, 6]].max() < 1e-9
    assert head.held[head.known][:, [0, 5, 6]].max() < 1e-9


def test_rows_without_a_label_are_left_out(matrix: csr_matrix) -> None:
    columns = labels(matrix, 3)
    columns[::5] = MISSING
    head = fit_head(alone(matrix), columns, 3, SETTINGS)
    assert head.known.tolist() == [number % 5 > 0 for number in range(ROWS)]
    rows = columns != MISSING
    known = estimator(columns[rows]).fit(matrix[rows], columns[rows]).predict_proba(matrix)
    assert np.allclose(probabilities(head, matrix), known, atol=1e-5)


@pytest.mark.parametrize("pair", [(0, 1), (1, 4), (4, 2)])
def test_two_labels_are_enough_wherever_they_stand(matrix: csr_matrix, pair: tuple[int, int]) -> None:
    columns = np.array(pair)[labels(matrix, 2)]
    head = fit_head(alone(matrix), columns, 5, SETTINGS)
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
    held = fit_head(alone(wide), columns, 2, SETTINGS).held
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
    chosen, material = FitSettings(jobs=jobs), alone(matrix)
    fitted = fit_heads(material, tasks, {"one": 3, "two": 2}, chosen, lambda: steps.append(1))
    assert list(fitted) == ["one", "two"]
    assert len(steps) == material.fits(2, chosen) == 2 * (chosen.folds + 1)
    for task, width in (("one", 3), ("two", 2)):
        by_itself = fit_head(material, tasks[task], width, SETTINGS)
        assert np.array_equal(fitted[task].weights, by_itself.weights)
        assert np.array_equal(fitted[task].held, by_itself.held)


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


SCORES = st.lists(st.floats(-3, 3), min_size=8, max_size=60)


def platt(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """scikit-learn's own sigmoid of a classifier whose decision is its one feature."""
    column = scores[:, None]
    identity = LogisticRegression().fit(column, positive)
    identity.coef_, identity.intercept_ = np.ones((1, 1)), np.zeros(1)
    every = np.arange(len(scores))
    frozen = CalibratedClassifierCV(FrozenEstimator(identity), method="sigmoid", cv=[(every, every)], ensemble=False)
    calibrated = frozen.fit(column, positive)
    answers: NDArray[np.float64] = calibrated.predict_proba(column)[:, 1]
    return answers


@settings(max_examples=15, deadline=None)
@given(SCORES, st.integers(1, 7), st.integers(0, 99))
def test_a_sigmoid_is_that_of_scikit_learn(values: list[float], count: int, seed: int) -> None:
    scores = np.array(values) + np.random.default_rng(seed).normal(0, 0.5, len(values))
    positive = np.random.default_rng(seed).permutation(len(scores)) < count
    slope, offset = sigmoid(scores, positive)
    assert np.allclose(expit(slope * scores + offset), platt(scores, positive), atol=1e-3)


def test_a_label_of_few_rows_among_many_has_the_offset_of_scikit_learn_too() -> None:
    """A solver that stops early leaves it a log-odds of 0.6 away."""
    random = np.random.default_rng(5)
    positive = np.arange(20_000) < 5
    scores = random.normal(-1, 0.3, len(positive)) + 3 * positive
    slope, offset = sigmoid(scores, positive)
    assert np.allclose(logit(platt(scores, positive)), slope * scores + offset, atol=1e-2)


@pytest.mark.parametrize("spread", [0, 1e-9])
@pytest.mark.parametrize("count", [1, 10, 19])
def test_scores_that_are_alike_say_what_the_share_says(count: int, spread: float) -> None:
    positive = np.arange(20) < count
    scores = 0.7 + spread * np.arange(20)
    slope, offset = sigmoid(scores, positive)
    # Platt's targets: (count + 1) / (count + 2), 1 / (others + 2)
    target = count * (count + 1) / (count + 2) + (20 - count) / (20 - count + 2)
    assert slope * scores + offset == pytest.approx(np.full(20, logit(target / 20)), abs=1e-3)


def test_a_label_without_a_held_out_row_gets_the_mean_of_the_others() -> None:
    scores = np.random.default_rng(6).normal(0, 1, (40, 3))
    columns = np.arange(40) % 2
    found = sigmoids(scores, columns, np.array([0, 1, 7]))
    assert found[2] == pytest.approx(found[:2].mean(axis=0))
    assert found[:2].tolist() == [list(sigmoid(scores[:, place], columns == place)) for place in (0, 1)]
    assert sigmoids(scores, np.zeros(40, np.int64), np.array([3, 4])).tolist() == [[1, 0], [1, 0]]


def test_only_held_rows_are_judged_and_only_the_others_are_learned(matrix: csr_matrix) -> None:
    columns, held = labels(matrix, 3), apart(5)
    columns[::7] = MISSING
    material = Material(matrix, np.arange(ROWS), held=held)
    head = fit_head(material, columns, 3, SETTINGS)
    assert material.fits(1, SETTINGS) == 1
    assert head.known.tolist() == (held & (columns != MISSING)).tolist()
    seen = ~held & (columns != MISSING)
    scores = machine(SETTINGS).fit(matrix[seen], columns[seen]).decision_function(matrix[head.known])
    slope, offset = sigmoids(scores, columns[head.known], np.arange(3)).T
    assert np.allclose(head.held[head.known], normalised(slope * scores + offset))


def test_what_stands_in_held_rows_changes_no_weight_of_the_machine(matrix: csr_matrix) -> None:
    """Only the sigmoids look at the held rows: the direction of the weights stays."""
    columns, held = labels(matrix, 2), apart(4)
    other = np.where(held, 1 - columns, columns)
    one, two = (
        fit_head(Material(matrix, np.arange(ROWS), held=held), each, 2, SETTINGS).weights[:, 1].astype(np.float64)
        for each in (columns, other)
    )
    assert abs(one @ two) == pytest.approx(np.linalg.norm(one) * np.linalg.norm(two), rel=1e-5)


def test_a_label_that_stands_in_held_rows_alone_is_not_learned(matrix: csr_matrix) -> None:
    columns, held = labels(matrix, 3), apart(4)
    columns[held] = np.where(np.arange(held.sum()) % 2, 5, columns[held])
    head = fit_head(Material(matrix, np.arange(ROWS), held=held), columns, 6, SETTINGS)
    assert head.learned.tolist() == [0, 1, 2]
    assert not head.known[columns == 5].any()
    assert probabilities(head, matrix)[:, 3:].max() < 1e-9


def test_the_labels_that_were_learned_are_told(matrix: csr_matrix) -> None:
    columns = labels(matrix, 4) + 1
    columns[:3] = 0
    assert fit_head(alone(matrix), columns, 7, SETTINGS).learned.tolist() == [1, 2, 3, 4]


def test_a_prior_of_other_features_is_seen_by_every_fit(matrix: csr_matrix) -> None:
    columns = labels(matrix, 3)
    telling = np.zeros((FEATURES, 1), np.float32)
    telling[0] = 5
    head = fit_head(Material(matrix, np.arange(ROWS), telling), columns, 3, SETTINGS)
    without = fit_head(alone(matrix), columns, 3, SETTINGS)
    assert head.weights.shape == without.weights.shape
    assert np.abs(head.held - without.held).max() > 0.01
    whole = machine(SETTINGS, telling).fit(matrix, columns)
    turned = head.weights[:, 0].astype(np.float64)
    assert turned @ whole.coef_[0] == pytest.approx(np.linalg.norm(turned) * np.linalg.norm(whole.coef_[0]), rel=1e-5)
