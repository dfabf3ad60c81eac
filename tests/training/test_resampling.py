"""Drawing counts of combinations is drawing rows; the intervals are those of the plain bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training import resampling
from training.resampling import interval, resampled_f1


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    labels = random.integers(0, 5, 200)
    wrong = random.integers(0, 6, (2, 200))
    return labels, np.where(random.random((2, 200)) < [[0.7], [0.4]], labels, wrong)


def test_the_interval_is_that_of_the_plain_bootstrap(answers: tuple[np.ndarray, np.ndarray]) -> None:
    labels, given = answers
    found, random = resampled_f1(labels, given), np.random.default_rng(6)
    draws = random.integers(0, 200, (400, 200))
    for place in range(2):
        plain = np.array([f1_score(labels[draw], given[place, draw], average="macro") for draw in draws])
        assert found[:, place].mean() == pytest.approx(plain.mean(), abs=0.01)
        assert interval(found[:, place]) == pytest.approx(interval(plain), abs=0.02)


def test_the_size_of_the_portions_changes_only_the_draws(
    answers: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = resampled_f1(*answers, times=300)
    monkeypatch.setattr(resampling, "CELLS", 70)
    parts = resampled_f1(*answers, times=300)
    assert parts.shape == whole.shape == (300, 2)
    assert parts == pytest.approx(whole)


def test_answers_that_are_all_right_are_always_right() -> None:
    labels = np.array([0, 0, 3, 3, 7])
    assert (resampled_f1(labels, labels[None]) == 1).all()
    assert (resampled_f1(labels, np.array([[1, 1, 1, 1, 1]])) == 0).all()


def test_nothing_resampled_is_nothing() -> None:
    assert resampled_f1(np.empty(0, np.int64), np.empty((3, 0), np.int64), 7).shape == (7, 3)
