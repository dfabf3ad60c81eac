"""The heads equal scikit-learn's own probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV

from nlp.features import Features, weighted
from nlp.heads import Heads, Matrix, lifted, normalised, tempered
from nlp.model import Model
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.heads import FitSettings, Material, fit_head, folds, learnable, machine

SETTINGS = FitSettings(jobs=1)
scores = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-60, 60))


def estimator(columns: NDArray[np.int64]) -> CalibratedClassifierCV:
    """The same head by scikit-learn alone."""
    apart = folds(columns, np.arange(len(columns)), SETTINGS)
    return CalibratedClassifierCV(machine(SETTINGS), method="sigmoid", cv=apart, ensemble=False)


@pytest.fixture(scope="module")
def matrix(model: Model, dataset: Dataset) -> csr_matrix:
    texts = Reader().fields(dataset.fields).texts
    features = Features(model.features, open_segmenter())
    tokens = features.tokens(texts)
    columns = model.vocabulary.table.columns(tokens.key)
    return weighted(features.counts(tokens, columns, len(dataset), len(model.vocabulary)), model.idf)


@pytest.mark.parametrize("task", TASKS)
def test_probabilities_are_those_of_scikit_learn(
    task: str, model: Model, matrix: csr_matrix, dataset: Dataset, taxonomy: Taxonomy
) -> None:
    columns = dataset.columns(task, taxonomy)
    known = learnable(columns, SETTINGS)
    theirs = estimator(columns[known]).fit(matrix[known], columns[known])
    ours = model.heads.probabilities(matrix, calibrated=False)[task]  # weights of 16 bits
    np.testing.assert_allclose(ours[:, theirs.classes_], theirs.predict_proba(matrix), atol=5e-4)


def two_labels(count: int, seed: int) -> tuple[csr_matrix, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    dense = rng.random((count, 12)).astype(np.float32)
    return csr_matrix(dense), (dense[:, 0] + rng.normal(0, 0.2, count) > 0.5).astype(np.int64) * 2


@pytest.mark.parametrize("seed", [1, 2])
def test_two_labels_out_of_three_are_those_of_scikit_learn_too(seed: int) -> None:
    matrix, columns = two_labels(80, seed)
    head = fit_head(Material(matrix, np.arange(len(columns))), columns, 3, SETTINGS)
    ours = Heads(head.weights, head.bias, {"tier": 3}, {"tier": 1.0}).probabilities(matrix, calibrated=False)["tier"]
    theirs = estimator(columns).fit(matrix, columns).predict_proba(matrix)
    np.testing.assert_allclose(ours[:, [0, 2]], theirs, atol=1e-5)
    assert ours[:, 1].max() < 1e-9


@given(scores)
def test_normalised_log_odds_are_probabilities(log_odds: Matrix) -> None:
    result = normalised(log_odds)
    assert (result >= 0).all()
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-9)


@given(scores, st.floats(0.2, 5))
def test_a_temperature_keeps_the_order_and_the_sum(log_odds: Matrix, temperature: float) -> None:
    plain = normalised(log_odds)
    result = tempered(plain, temperature)
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-9)
    best = plain.argmax(axis=1)
    rows = np.arange(len(plain))
    assert (result[rows, best] >= result.max(axis=1) - 1e-12).all()


def test_a_temperature_over_one_flattens_and_under_one_sharpens() -> None:
    plain = np.array([[0.7, 0.2, 0.1]])
    assert tempered(plain, 2.0)[0, 0] < 0.7 < tempered(plain, 0.5)[0, 0]
    np.testing.assert_allclose(tempered(plain, 1.0), plain)


def test_calibrated_probabilities_are_tempered_and_lifted_ones(model: Model, matrix: csr_matrix) -> None:
    plain, calibrated = model.heads.probabilities(matrix, calibrated=False), model.heads.probabilities(matrix)
    each = {task: tempered(plain[task], model.heads.temperatures[task]) for task in TASKS}
    for task, known in lifted(each, model.heads.lifts).items():
        np.testing.assert_allclose(calibrated[task], known)


def test_the_columns_of_the_tasks_lie_side_by_side(model: Model, taxonomy: Taxonomy) -> None:
    ends = [model.heads.columns(task) for task in TASKS]
    assert [part.stop - part.start for part in ends] == [len(taxonomy.labels(task)) for task in TASKS]
    assert ends[0].start == 0
    assert all(one.stop == other.start for one, other in pairwise(ends))


def test_a_lift_makes_labels_likelier_that_go_with_the_likely_categories() -> None:
    heads = {"category": np.array([[0.9, 0.1]]), "tier": np.array([[0.5, 0.5]]), "type": np.array([[0.3, 0.7]])}
    raised = lifted(heads, {"tier": np.array([[3.0, 1.0], [1.0, 3.0]])})
    np.testing.assert_allclose(raised["tier"], [[2.8 / 4, 1.2 / 4]])
    assert raised["type"] is heads["type"]
    assert heads["tier"].tolist() == [[0.5, 0.5]]


@given(scores, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_lifted_probabilities_still_add_up(log_odds: Matrix, labels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    category = normalised(log_odds)
    tier = random.dirichlet(np.ones(labels), len(log_odds))
    lift = random.uniform(0.01, 40, (category.shape[1], labels))
    raised = lifted({"category": category, "tier": tier}, {"tier": lift})["tier"]
    assert ((raised >= 0) & (raised <= 1 + 1e-9)).all()
    np.testing.assert_allclose(raised.sum(axis=1), 1)
