"""The classifier below the heads: a linear SVM and naive Bayes added up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from sklearn.utils import Tags
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

SMOOTHING = 0.1  # of naive Bayes


class Machine(ClassifierMixin, BaseEstimator):
    """A one-versus-rest linear SVM plus `share` times complement naive Bayes: linear in the features, as both are.

    The SVM separates what it has seen often; naive Bayes weighs each word by itself, so that rare words
    count too (Rennie et al. 2003; Wang & Manning 2012 for the two together). Before they are added, their
    scores on the training rows are brought to the same spread.

    prior: (features, n) float32, what is known of each feature before any row is seen (its vector, how it speaks for
    the labels of another model). The SVM sees `rows @ prior` as n more features; their weights are folded into those
    of the features, so that a fitted machine is the same look-up with a prior as without.

    coef_: (labels, features) and intercept_: (labels,); one row when there are two labels.
    """

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    classes_: NDArray[Any]

    def __init__(self, strength: float = 1.0, share: float = 0.5, seed: int | None = None,
                 prior: NDArray[np.float32] | None = None) -> None:  # fmt: skip
        self.strength = strength
        self.share = share
        self.seed = seed
        self.prior = prior

    def fit(self, X: csr_matrix | NDArray[np.float64], y: NDArray[Any]) -> Machine:  # noqa: N803
        """Fit both on (rows, features), none of them negative, and (rows,) labels of at least two kinds."""
        rows, labels = validate_data(self, X, y, accept_sparse="csr", dtype=(np.float64, np.float32))
        support = LinearSVC(C=self.strength, class_weight="balanced", random_state=self.seed)
        weights = self._supported(support, rows, labels)
        bayes = ComplementNB(alpha=SMOOTHING).fit(rows, labels)
        word = bayes.feature_log_prob_ - bayes.feature_log_prob_.mean(axis=0)
        if len(weights) == 1:
            word = word[1:] - word[:1]
        spread = np.std(safe_sparse_dot(rows, word.T))
        scale = np.std(safe_sparse_dot(rows, weights.T)) / spread if spread else 0.0
        self.classes_ = support.classes_
        self.coef_ = weights + self.share * scale * word
        self.intercept_ = support.intercept_
        return self

    def _supported(self, support: LinearSVC, rows: Any, labels: NDArray[Any]) -> NDArray[np.float64]:
        """Fit the SVM; (labels, features) weights, those of the prior folded in."""
        if self.prior is None:
            weights: NDArray[np.float64] = support.fit(rows, labels).coef_
            return weights
        known = csr_matrix(safe_sparse_dot(rows, self.prior, dense_output=True))
        support.fit(hstack([rows, known], format="csr"), labels)
        own, learned = np.split(support.coef_, [rows.shape[1]], axis=1)
        folded: NDArray[np.float64] = own + learned @ self.prior.T
        return folded

    def decision_function(self, X: csr_matrix | NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803
        """(rows, labels) scores, or (rows,) when there are two labels."""
        check_is_fitted(self)
        rows = validate_data(self, X, accept_sparse="csr", reset=False)
        scores: NDArray[np.float64] = safe_sparse_dot(rows, self.coef_.T, dense_output=True) + self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict(self, X: csr_matrix | NDArray[np.float64]) -> NDArray[Any]:  # noqa: N803
        """(rows,) the label with the highest score."""
        scores = self.decision_function(X)
        labels: NDArray[Any] = self.classes_[scores.argmax(axis=1) if scores.ndim > 1 else (scores > 0).astype(int)]
        return labels

    def __sklearn_tags__(self) -> Tags:
        """Sparse input is welcome, negative values are not: naive Bayes counts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags
