"""The learning curve: fits on growing shares, judged on the same held-out rows, and the law through them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.metrics import f1_score

from training import curve as module
from training.curve import POWERS, TIMES, Curve, curve, power_law, value_at
from training.dataset import MISSING
from training.heads import FitSettings, Material, folds, machine

ROWS, LABELS, WORDS = 800, 4, 400
SETTINGS = FitSettings(jobs=1)


@pytest.fixture(scope="module")
def written() -> tuple[csr_matrix, np.ndarray]:
    random = np.random.default_rng(8)
    labels = random.integers(0, LABELS, ROWS)
    own = labels[:, None] * 100 + random.integers(0, 100, (ROWS, 2))
    words = np.concatenate([own, random.integers(0, WORDS, (ROWS, 4))], axis=1)
    cells = (np.repeat(np.arange(ROWS), 6), words.ravel())
    return csr_matrix((np.ones(words.size, np.float32), cells), (ROWS, WORDS)), labels


@pytest.fixture(scope="module")
def drawn(written: tuple[csr_matrix, np.ndarray]) -> Curve:
    return curve(Material(written[0], np.arange(ROWS)), written[1], LABELS, SETTINGS)


def test_more_rows_are_worth_more(drawn: Curve) -> None:
    assert drawn.rows == (75, 150, 300, 600)
    assert (drawn.held, drawn.total) == (200, ROWS)
    assert drawn.scores[0] < drawn.scores[-1]
    now, more = drawn.reached(ROWS), drawn.reached(ROWS + 1000)
    assert drawn.scores[-1] - 0.03 < now[0] < more[0] <= 1
    assert 0 < now[1] < 0.2
    for score, (low, high) in zip(drawn.scores, drawn.intervals, strict=True):
        assert low - 0.02 < score < high + 0.02


def test_the_last_point_is_that_of_scikit_learn(written: tuple[csr_matrix, np.ndarray], drawn: Curve) -> None:
    matrix, labels = written
    rows = np.random.default_rng(SETTINGS.seed).permutation(ROWS)
    rest, held = (rows[part] for part in folds(labels[rows], rows, SETTINGS)[0])
    answers = machine(SETTINGS).fit(matrix[rest], labels[rest]).predict(matrix[held])
    assert drawn.scores[-1] == pytest.approx(f1_score(labels[held], answers, average="macro"), abs=0.02)


def test_it_is_plain_data_for_json(drawn: Curve) -> None:
    told = json.loads(json.dumps(drawn.as_dict(), allow_nan=False))
    assert told["rows"] == [75, 150, 300, 600]
    assert told["after_1000_more"] == [round(value, 4) for value in drawn.reached(ROWS + 1000)]


def test_no_group_stands_on_both_sides() -> None:
    """Each group's rows hold a word of their own that tells the label: seen before, they would all be right."""
    groups = np.arange(ROWS) // 20
    labels = (groups * 7) % LABELS
    telling = csr_matrix((np.ones(ROWS, np.float32), (np.arange(ROWS), groups)), (ROWS, groups.max() + 1))
    assert curve(Material(telling, groups), labels, LABELS, SETTINGS).scores[-1] < 0.6
    assert curve(Material(telling, np.arange(ROWS)), labels, LABELS, SETTINGS).scores[-1] > 0.95


def test_rows_without_a_label_do_not_count_and_many_are_sampled(
    written: tuple[csr_matrix, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, labels = written
    labels = np.where(np.arange(ROWS) % 2, labels, MISSING)
    monkeypatch.setattr(module, "MOST", 100)
    found = curve(Material(matrix, np.arange(ROWS)), labels, LABELS, SETTINGS)
    assert found.total == 400
    assert found.rows[-1] + found.held == 100


@pytest.mark.parametrize("labels", [np.zeros(20, np.int64), np.full(20, MISSING), np.arange(20)])
def test_what_cannot_be_learned_has_no_points(labels: np.ndarray) -> None:
    matrix = csr_matrix(np.ones((20, 3), np.float32))
    found = curve(Material(matrix, np.arange(20)), labels, 20, SETTINGS)
    assert (found.rows, found.law, found.held) == ((), None, 0)
    assert found.as_dict()["after_1000_more"] is None
    with pytest.raises(ValueError, match="three points"):
        found.reached(10)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 1), st.floats(0.5, 3), st.floats(0.1, 0.9))
def test_a_power_law_is_found_again(a: float, b: float, c: float) -> None:
    rows = (125, 250, 500, 1000)
    scores = a - b * np.array(rows, np.float64) ** -c
    assume((scores >= 0).all())
    law = power_law(rows, scores)
    assert value_at(law, np.array(rows, np.float64)) == pytest.approx(scores, abs=0.01)
    assert POWERS[0] <= law[2] <= POWERS[1]


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_any_points_have_a_law_that_never_falls(scores: list[float]) -> None:
    law = power_law((10, 20, 40, 80), np.array(scores))
    ahead = value_at(law, np.array([10.0, 100.0, 10_000.0]))
    assert (np.diff(ahead) >= 0).all()
    assert ((ahead >= 0) & (ahead <= 1)).all()


def test_there_are_as_many_laws_as_resamples(drawn: Curve) -> None:
    assert drawn.laws.shape == (TIMES, 3)
    assert drawn.laws[:, 2].min() >= POWERS[0]
