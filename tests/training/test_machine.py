"""The machine keeps scikit-learn's contract, and adds up what it says it adds up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from training.machine import SMOOTHING, Machine


@pytest.mark.filterwarnings("ignore")
def test_it_keeps_the_contract_of_scikit_learn() -> None:
    assert [
        check["check_name"] for check in check_estimator(Machine(), on_fail=None) if check["status"] == "failed"
    ] == []


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("share", [0, 0.4])
def test_a_folded_prior_scores_as_the_machine_that_sees_it(width: int, share: float) -> None:
    """The SVM on features and prior side by side, which needs both at hand, and the one table that is kept."""
    random = np.random.default_rng(7)
    rows = csr_matrix(random.random((90, 30)) * (random.random((90, 30)) < 0.3))
    labels = rows[:, :width].toarray().argmax(axis=1)
    prior = random.normal(0, 1, (30, 3)).astype(np.float32)
    wide = hstack([rows, csr_matrix(rows @ prior)], format="csr")
    unfolded = LinearSVC(class_weight="balanced", random_state=1).fit(wide, labels)
    scores = unfolded.decision_function(wide)
    folded = Machine(share=share, seed=1, prior=prior).fit(rows, labels)
    if share:
        bayes = ComplementNB(alpha=SMOOTHING).fit(rows, labels).predict_joint_log_proba(rows)
        bayes = bayes[:, 1] - bayes[:, 0] if width == 2 else bayes - bayes.mean(axis=1, keepdims=True)
        scores = scores + share * (scores - unfolded.intercept_).std() / bayes.std() * bayes
    assert folded.coef_.shape == (1 if width == 2 else width, 30)
    assert np.allclose(folded.decision_function(rows), scores, atol=1e-6)


def test_a_prior_of_nothing_changes_nothing() -> None:
    rows = csr_matrix(np.random.default_rng(3).random((60, 8)))
    labels = rows[:, :3].toarray().argmax(axis=1)
    without = Machine(seed=5).fit(rows, labels)
    nothing = Machine(seed=5, prior=np.zeros((8, 2), np.float32)).fit(rows, labels)
    assert np.allclose(nothing.decision_function(rows), without.decision_function(rows), atol=1e-3)


@pytest.mark.parametrize("width", [2, 4])
def test_its_scores_are_those_of_both_with_the_same_spread(width: int) -> None:
    random = np.random.default_rng(2)
    rows = csr_matrix(random.random((90, 30)) * (random.random((90, 30)) < 0.3))
    labels = rows[:, :width].toarray().argmax(axis=1)
    support = LinearSVC(C=0.7, class_weight="balanced", random_state=1).fit(rows, labels).decision_function(rows)
    bayes = ComplementNB(alpha=SMOOTHING).fit(rows, labels).predict_joint_log_proba(rows)
    bayes = bayes[:, 1] - bayes[:, 0] if width == 2 else bayes - bayes.mean(axis=1, keepdims=True)
    machine = Machine(strength=0.7, share=0.4, seed=1).fit(rows, labels)
    added = machine.decision_function(rows) - support
    assert np.allclose(added, added.std() / bayes.std() * bayes)
    assert added.std() == pytest.approx(0.4 * (support - machine.intercept_).std())


def test_without_a_share_it_is_the_linear_machine_alone() -> None:
    rows = np.random.default_rng(3).random((60, 8))
    labels = rows[:, :3].argmax(axis=1)
    alone = LinearSVC(class_weight="balanced", random_state=5).fit(rows, labels)
    assert np.allclose(Machine(share=0, seed=5).fit(rows, labels).coef_, alone.coef_)
