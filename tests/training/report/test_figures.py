"""The figures equal scikit-learn's, and nothing is lost where labels are joined."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from training.report.figures import (
    EXAMPLES,
    OTHERS,
    bins,
    confusion_table,
    confusions,
    coverage,
    label_scores,
    macro_f1_interval,
)
from training.scores import TaskScore


@pytest.fixture(scope="module")
def score() -> TaskScore:
    random = np.random.default_rng(2)
    marginals = random.dirichlet(np.full(8, 0.5), 500)
    labels = np.where(random.random(500) < 0.6, marginals.argmax(axis=1), random.integers(0, 7, 500))
    return TaskScore(marginals.argmax(axis=1), labels, marginals)


def test_the_scores_of_labels_are_those_of_scikit_learn(score: TaskScore) -> None:
    known = precision_recall_fscore_support(score.labels, score.best, labels=range(8), zero_division=0)
    found = label_scores(score)
    assert [one.column for one in found] == list(range(8))
    for values, name in zip(known, ("precision", "recall", "f1", "rows"), strict=True):
        assert [getattr(one, name) for one in found] == pytest.approx(values)


def test_the_table_of_confusions_is_that_of_scikit_learn(score: TaskScore) -> None:
    shown, table = confusion_table(score)
    assert table.tolist() == confusion_matrix(score.labels, score.best, labels=shown).tolist()
    rows = table.sum(axis=1).tolist()
    assert rows == sorted(rows, reverse=True)


def test_joined_labels_lose_no_row(score: TaskScore) -> None:
    whole, every = confusion_table(score)
    shown, table = confusion_table(score, most=3)
    assert shown == [*whole[:3], OTHERS]
    assert table.sum() == 500
    assert table[:3, :3].tolist() == every[:3, :3].tolist()


def test_the_worst_confusion_comes_first_with_its_surest_examples(score: TaskScore) -> None:
    found = confusions(score)
    table = confusion_matrix(score.labels, score.best, labels=range(8))
    np.fill_diagonal(table, 0)
    assert found[0].count == table.max()
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    for one in found:
        assert one.count == table[one.given, one.answered]
        assert len(one.examples) == min(EXAMPLES, one.count)
        assert {score.labels[row] for row in one.examples} == {one.given}
        assert {score.best[row] for row in one.examples} == {one.answered}
        sure = score.confidence[list(one.examples)].tolist()
        assert sure == sorted(sure, reverse=True)


def test_no_wrong_answer_is_no_confusion() -> None:
    assert confusions(TaskScore(np.zeros(3, np.int64), np.zeros(3, np.int64), np.ones((3, 1)))) == []


def test_the_bins_hold_every_answer(score: TaskScore) -> None:
    found = bins(score)
    assert sum(one.rows for one in found) == 500
    assert sum(one.rows * one.right for one in found) == pytest.approx(score.right.sum())
    assert all(0 <= one.confidence <= 1 for one in found)


def test_full_coverage_has_the_error_of_all(score: TaskScore) -> None:
    points = coverage(score)
    assert points[-1, 1] == 1
    assert points[-1, 2] == pytest.approx(1 - score.accuracy)
    assert (np.diff(points[:, 1]) > 0).all()
    for limit, share, error in points.tolist():
        kept = score.confidence >= limit
        assert share == pytest.approx(kept.mean())
        assert error == pytest.approx(1 - score.right[kept].mean())


def test_answers_of_the_same_confidence_are_one_point() -> None:
    score = TaskScore(np.zeros(4, np.int64), np.array([0, 1, 0, 1]), np.full((4, 2), 0.5))
    assert coverage(score).tolist() == [[0.5, 1.0, 0.5]]


def test_the_interval_holds_the_macro_f1(score: TaskScore) -> None:
    low, high = macro_f1_interval(score)
    assert low < score.macro_f1 < high
    assert macro_f1_interval(TaskScore(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 5)))) == (0, 1)
