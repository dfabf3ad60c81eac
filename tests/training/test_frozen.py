"""Heads on a frozen encoder: the folded weights say what scikit-learn's pipeline says, and no row judges itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax

from training.frozen import _head, _held, regression
from training.heads import FitSettings

WIDTH = 8
Embedded = NDArray[np.float32]
Columns = NDArray[np.int64]


def rows_of(columns: Columns, seed: int = 0) -> Embedded:
    """Embeddings that lean to their label, each direction with a mean and a scale of its own."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 2, (int(columns.max()) + 1, WIDTH))
    noise = random.normal(0, 1, (len(columns), WIDTH))
    scales, means = np.geomspace(0.01, 100, WIDTH), random.normal(0, 50, WIDTH)
    return ((centres[columns] + noise) * scales + means).astype(np.float32)


def scored(embedded: Embedded, columns: Columns, width: int) -> NDArray[np.float64]:
    weights, bias = _head(embedded, columns, width)
    assert (weights.shape, bias.shape) == ((WIDTH, width), (width,))
    assert weights.dtype == bias.dtype == np.float32
    return embedded.astype(np.float64) @ weights + bias


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(0, 100))
def test_the_folded_head_is_the_pipeline(labels: int, seed: int) -> None:
    """Two labels have one column of scores in scikit-learn and two here."""
    columns = np.random.default_rng(seed).permutation(np.arange(60) % labels)
    embedded = rows_of(columns, seed)
    scores = scored(embedded, columns, labels)
    pipeline = regression().fit(embedded, columns)
    theirs = pipeline.decision_function(embedded)
    ours = scores[:, 1] - scores[:, 0] if labels == 2 else scores
    assert np.allclose(ours, theirs, atol=1e-3)
    assert np.allclose(softmax(scores, axis=1), pipeline.predict_proba(embedded), atol=1e-4)
    assert np.array_equal(scores.argmax(axis=1), pipeline.predict(embedded))


def test_probabilities_are_those_of_the_pipeline_to_five_places() -> None:
    columns = np.arange(90) % 3
    embedded = np.random.default_rng(3).normal(0, 1, (90, WIDTH)).astype(np.float32)
    embedded[:, 0] += columns
    known = regression().fit(embedded, columns).predict_proba(embedded)
    assert np.allclose(softmax(scored(embedded, columns, 3), axis=1), known, atol=1e-5)


def test_rows_without_a_label_change_nothing() -> None:
    columns = np.arange(40) % 3
    embedded = rows_of(columns)
    more = np.concatenate([embedded, 1000 * np.ones((7, WIDTH), np.float32)])
    weights, bias = _head(embedded, columns, 3)
    again, offsets = _head(more, np.r_[columns, np.full(7, -1)], 3)
    assert np.array_equal(weights, again)
    assert np.array_equal(bias, offsets)


@pytest.mark.parametrize("present", [[1, 4], [0, 2, 5]])
def test_a_label_that_no_row_bears_is_never_the_answer(present: list[int]) -> None:
    columns = np.array(present)[np.arange(60) % len(present)]
    embedded = rows_of(columns)
    shares = softmax(scored(embedded, columns, 6), axis=1)
    absent = [label for label in range(6) if label not in present]
    assert shares[:, absent].max() < 1e-6
    assert (shares.argmax(axis=1) == columns).mean() > 0.9


def test_a_label_with_one_row_is_learned() -> None:
    columns = np.r_[np.arange(40) % 2, 2]
    embedded = rows_of(columns)
    scores = scored(embedded, columns, 3)
    pipeline = regression().fit(embedded, columns)
    assert np.allclose(scores, pipeline.decision_function(embedded), atol=1e-3)
    assert scores[-1].argmax() == 2


def test_a_direction_that_is_the_same_everywhere_tells_nothing() -> None:
    columns = np.arange(30) % 3
    embedded = rows_of(columns)
    embedded[:, 2] = 7
    weights, bias = _head(embedded, columns, 3)
    assert np.isfinite(weights).all()
    assert np.isfinite(bias).all()
    assert np.allclose(weights[2], 0, atol=1e-6)


@pytest.mark.parametrize("labels", [2, 4])
def test_held_out_answers_are_distributions_by_heads_that_had_not_seen_the_row(labels: int) -> None:
    """Labels drawn by lot: a head that had seen them would do better than chance."""
    random = np.random.default_rng(6)
    columns = random.integers(0, labels, 120)
    embedded = random.normal(0, 1, (120, WIDTH)).astype(np.float32)
    held = _held(embedded, columns, np.arange(120), labels, FitSettings())
    assert np.allclose(held.sum(axis=1), 1, atol=1e-6)
    assert abs((held.argmax(axis=1) == columns).mean() - 1 / labels) < 0.15


def test_no_group_is_on_both_sides() -> None:
    """Every row stands twice, and only its twin could tell its label."""
    random = np.random.default_rng(7)
    columns = np.tile(random.integers(0, 2, 60), 2)
    embedded = np.tile(random.normal(0, 1, (60, 64)), (2, 1)).astype(np.float32)
    apart = _held(embedded, columns, np.tile(np.arange(60), 2), 2, FitSettings())
    mixed = _held(embedded, columns, np.arange(120), 2, FitSettings())
    assert (apart.argmax(axis=1) == columns).mean() < 0.7 < (mixed.argmax(axis=1) == columns).mean()


def test_a_row_without_a_label_is_told_nothing_and_absent_labels_are_unlikely() -> None:
    columns = np.r_[np.array([0, 3])[np.arange(40) % 2], -1, -1]
    embedded = rows_of(np.maximum(columns, 0))
    held = _held(embedded, columns, np.arange(42), 5, FitSettings())
    assert np.allclose(held[40:], 0.2)
    assert held[:40, [1, 2, 4]].max() <= 1e-9
    assert (held[:40].argmax(axis=1) == columns[:40]).mean() > 0.9
