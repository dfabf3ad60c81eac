"""What is chosen to be labelled: unsure, different, and new."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from corpora.petitions import Row
from nlp.model import Model
from nlp.petition import Petition
from training.label.next import Eye, choose, pick


def blobs(kinds: int, each: int, seed: int = 1) -> csr_matrix:
    """Rows of `kinds` kinds that share a feature, with a little of their own."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.eye(kinds), each, axis=0)
    return csr_matrix(np.hstack([rows, 0.05 * random.random((kinds * each, 20))]))


def test_every_kind_of_doubtful_petition_is_chosen_once() -> None:
    chosen = choose(blobs(8, 10), np.full(80, 0.2), 8)
    assert sorted(chosen // 10) == list(range(8))


def test_what_the_model_is_sure_of_is_left_alone() -> None:
    margin = np.where(np.arange(400) < 50, 0.1, 0.9)
    assert set(choose(blobs(40, 10), margin, 5)) <= set(range(50))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.integers(1, 12), st.integers(0, 3))
def test_as_many_as_there_are_each_once(rows: int, count: int, seed: int) -> None:
    margin = np.random.default_rng(seed).random(rows)
    chosen = choose(blobs(max(1, rows), 1)[:rows], margin, count)
    assert len(chosen) == len(set(chosen.tolist())) == min(rows, count)
    assert (np.diff(margin[chosen]) >= 0).all()


def test_petitions_all_alike_are_still_chosen() -> None:
    assert len(choose(csr_matrix(np.ones((30, 4))), np.zeros(30), 2)) == 2
    assert len(choose(csr_matrix(np.ones((30, 1))), np.zeros(30), 2)) == 2


def test_near_duplicates_and_what_has_labels_are_left_out(model: Model, petitions: list[Row]) -> None:
    pool = [Petition(row.id, row.text, row.title) for row in petitions[:60]]
    again = [Petition(f"{one.id}-b", one.text, one.title) for one in pool[:10]]
    found = pick(model, [*pool, *again, Petition("empty", " ")], pool[50:60], 50)
    assert found.empty == 1
    assert found.duplicates >= 20
    ids = [each.petition.id.removesuffix("-b") for each in found.picks]
    assert len(ids) == len(set(ids))
    assert not set(ids) & {one.id for one in pool[50:]}


def test_the_suggestion_is_the_models_own(model: Model, petitions: list[Row]) -> None:
    pool = [Petition(row.id, row.text, row.title) for row in petitions[:80]]
    found = pick(model, pool, [], 5)
    assert len(found.picks) == 5
    margins = [each.margin for each in found.picks]
    assert margins == sorted(margins)
    eye = Eye(model)
    for each in found.picks:
        probabilities = eye.category([each.petition])[0]
        assert each.confidence == pytest.approx(probabilities.max(), abs=1e-4)
        assert model.taxonomy.codes("category")[int(probabilities.argmax())] == each.code
    assert found == pick(model, pool, [], 5)


def test_nothing_to_choose_from(model: Model) -> None:
    assert pick(model, [Petition("1", "  ")], [], 5).picks == []
