"""Drift: nothing where nothing changed, much where much did, by figures that a card can keep."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from nlp.drift import LITTLE, MUCH, Drift, Profile, binned, distance, profile, stability
from nlp.model import Model
from nlp.reader import Reader
from training.dataset import Dataset

COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12).map(lambda counts: np.array(counts, np.float64))


@given(COUNTS)
def test_nothing_changed_is_no_drift(counts: np.ndarray) -> None:
    assert stability(counts, counts) == distance(counts, counts) == 0


@given(COUNTS, st.randoms())
def test_drift_is_the_same_both_ways(counts: np.ndarray, random: object) -> None:
    other = counts[::-1].copy()
    assert stability(counts, other) == pytest.approx(stability(other, counts))
    assert distance(counts, other) == pytest.approx(distance(other, counts))
    assert stability(counts, other) >= 0
    assert 0 <= distance(counts, other) <= 1


def test_the_index_is_that_of_the_book() -> None:
    """Ten thousand rows make the added half row too small to be seen."""
    before, after = np.array([5000.0, 3000.0, 2000.0]), np.array([4000.0, 3000.0, 3000.0])
    by_hand = (0.4 - 0.5) * np.log(0.4 / 0.5) + 0 + (0.3 - 0.2) * np.log(0.3 / 0.2)
    assert stability(before, after) == pytest.approx(by_hand, abs=1e-3)
    assert distance(before, after) == pytest.approx(0.1)
    assert jensenshannon(before, after) < np.sqrt(distance(before, after))


def test_a_category_that_is_new_or_gone_stays_finite() -> None:
    assert np.isfinite(stability(np.array([100.0, 0.0]), np.array([0.0, 100.0])))
    assert distance(np.array([100.0, 0.0]), np.array([0.0, 100.0])) == 1
    assert distance(np.zeros(2), np.array([1.0, 2.0])) == 0
    assert stability(np.empty(0), np.empty(0)) == 0


def test_binned_counts_every_row() -> None:
    assert binned(np.array([0.0, 0.05, 0.999, 1.0])) == (2, 0, 0, 0, 0, 0, 0, 0, 0, 2)
    assert binned(np.empty(0)) == (0,) * 10


@pytest.fixture(scope="module")
def before() -> Profile:
    return Profile(1000, {"noise": 600, "leak": 400}, 0.1, 80.0, (0, 0, 0, 0, 0, 50, 150, 200, 300, 300))


def test_a_profile_is_kept_by_a_card(before: Profile) -> None:
    assert Profile.from_dict(json.loads(json.dumps(before.as_dict()))) == before
    assert before.sureness == pytest.approx(0.815)


def test_the_category_that_changed_most_comes_first(before: Profile) -> None:
    drift = Drift(before, replace(before, mix={"noise": 580, "leak": 220, "power": 200}))
    assert [one.code for one in drift.moved] == ["power", "leak", "noise"] or drift.moved[0].code in ("leak", "power")
    assert drift.distance == pytest.approx(0.2)
    assert drift.stability > MUCH
    assert drift.much
    assert drift.confidence == 0


def test_the_same_twice_is_no_drift(before: Profile) -> None:
    drift = Drift(before, before)
    assert not drift.much
    assert drift.stability < LITTLE
    assert drift.as_dict()["category_psi"] == 0


def test_less_confidence_is_drift(before: Profile) -> None:
    assert Drift(before, replace(before, confidence=(100,) * 10)).much


def test_the_profile_of_other_words_has_more_unknown_ones(model: Model, dataset: Dataset) -> None:
    texts = Reader().fields(dataset.fields).texts
    known = profile(model, texts, Counter(dataset.labels["category"]), np.full(len(dataset), 0.7))
    assert known.rows == sum(known.mix.values()) == sum(known.confidence) == len(dataset)
    assert known.length == pytest.approx(sum(map(len, texts.strings)) / len(dataset))
    strange = Reader().fields(["", "蒹葭苍苍白露为霜", "", "曰若稽古帝尧放勋"]).texts
    other = profile(model, strange, {"noise": 2, "leak": 0}, np.array([0.1, 0.2]))
    assert 0 < known.unknown < 0.6 < other.unknown
    assert other.mix == {"noise": 2}
    assert other.length == 8


def test_nothing_read_has_an_empty_profile(model: Model) -> None:
    nothing = profile(model, Reader().fields(["", ""]).texts, {}, np.zeros(1))
    assert (nothing.unknown, nothing.length, nothing.rows) == (0, 0, 1)
