"""Labels that were changed on purpose come first among the suspects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.heads import FitSettings, Material, fit_head
from training.scores import TaskScore
from training.suspects import suspects

ROWS, LABELS, WORDS = 1200, 8, 160
SETTINGS = FitSettings(jobs=1)


def written(random: np.random.Generator) -> tuple[csr_matrix, np.ndarray]:
    """Rows of words, most of them of the label's own twenty."""
    labels = random.integers(0, LABELS, ROWS)
    own = labels[:, None] * (WORDS // LABELS) + random.integers(0, WORDS // LABELS, (ROWS, 4))
    words = np.concatenate([own, random.integers(0, WORDS, (ROWS, 12))], axis=1)
    counts = csr_matrix(
        (np.ones(words.size, np.float32), (np.repeat(np.arange(ROWS), 16), words.ravel())), (ROWS, WORDS)
    )
    return counts / 4, labels


@pytest.mark.parametrize("seed", [1, 2])
def test_most_changed_labels_stand_in_the_first_tenth(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix, labels = written(random)
    changed = random.choice(ROWS, ROWS // 20, replace=False)
    given = labels.copy()
    given[changed] = (labels[changed] + random.integers(1, LABELS, len(changed))) % LABELS
    head = fit_head(Material(csr_matrix(matrix), np.arange(ROWS)), given, LABELS, SETTINGS)
    ranked = suspects(TaskScore(head.held.argmax(axis=1), given, head.held), np.arange(ROWS))
    first = ranked[: ROWS // 10]
    assert len({one.row for one in first} & set(changed.tolist())) >= 0.7 * len(changed)
    right = [labels[one.row] == one.suggested for one in first if one.row in changed]
    assert np.mean(right) > 0.7


def test_the_order_and_the_suggestions_are_those_of_the_probabilities() -> None:
    marginals = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.1, 0.5, 0.4], [0.2, 0.2, 0.6]])
    score = TaskScore(marginals.argmax(axis=1), np.array([0, 0, 2, 0]), marginals)
    ranked = suspects(score, [10, 20, 30, 40])
    assert [(one.row, one.given, one.suggested) for one in ranked] == [(20, 0, 2), (40, 0, 2), (30, 2, 1), (10, 0, 1)]
    assert [one.confidence for one in ranked] == [0.1, 0.2, 0.4, 0.7]
    assert [one.instead for one in ranked] == [0.6, 0.6, 0.5, 0.2]
    assert [one.doubted for one in ranked] == [True, True, True, False]


def test_of_two_equally_unlikely_labels_the_one_with_the_surer_suggestion_comes_first() -> None:
    marginals = np.array([[0.1, 0.5, 0.4], [0.1, 0.9, 0.0]])
    score = TaskScore(np.array([1, 1]), np.array([0, 0]), marginals)
    assert [one.row for one in suspects(score, [0, 1])] == [1, 0]


def test_one_label_alone_or_no_row_suspects_nobody() -> None:
    one = TaskScore(np.zeros(2, np.int64), np.zeros(2, np.int64), np.ones((2, 1)))
    none = TaskScore(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)))
    assert suspects(one, [0, 1]) == suspects(none, []) == []
