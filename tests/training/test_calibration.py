"""Calibration on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest

from nlp.heads import lifted, tempered
from training.calibration import BINS, PRIOR, calibration_error, lift, settled, temperature, threshold, wilson

SHARES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
ANSWERS = st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=60)


def drawn(count: int, labels: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities, and labels that come as often as the probabilities say."""
    random = np.random.default_rng(7)
    probabilities = random.dirichlet(np.full(labels, 0.6), count)
    columns = (probabilities.cumsum(axis=1) < random.random((count, 1))).sum(axis=1)
    return probabilities, np.minimum(columns, labels - 1).astype(np.int64)


@pytest.mark.parametrize("known", [0.5, 0.8, 1.0, 1.7, 3.0])
def test_a_known_temperature_is_found_again(known: float) -> None:
    probabilities, columns = drawn(20_000, 5)
    assert temperature(tempered(probabilities, 1 / known), columns) == pytest.approx(known, rel=0.05)


def test_the_temperature_stays_in_reach_where_all_is_right_or_wrong() -> None:
    sure = np.array([[0.9, 0.1]] * 50)
    assert temperature(sure, np.zeros(50, np.int64)) == pytest.approx(np.exp(-2), rel=0.05)
    assert temperature(sure, np.ones(50, np.int64)) == pytest.approx(np.exp(2), rel=0.05)


def test_the_right_temperature_leaves_hardly_any_calibration_error() -> None:
    probabilities, columns = drawn(20_000, 5)
    rows = np.arange(len(columns))
    for sharpness, least, most in ((1.0, 0.0, 0.02), (3.0, 0.08, 1.0)):
        changed = tempered(probabilities, 1 / sharpness)
        best = changed.argmax(axis=1)
        assert least <= calibration_error(changed[rows, best], best == columns) <= most


def test_a_perfect_calibration_has_no_error() -> None:
    confidence = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 4)
    right = np.array([0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1], np.bool_)
    assert calibration_error(confidence, right) == pytest.approx(0)


@pytest.mark.parametrize(("confidence", "right", "error"), [(0.9, False, 0.9), (0.1, True, 0.9), (1.0, False, 1.0)])
def test_a_wrong_calibration_has_its_distance_as_error(confidence: float, right: bool, error: float) -> None:
    assert calibration_error(np.full(30, confidence), np.full(30, right)) == pytest.approx(error)


def test_no_answers_have_no_calibration_error() -> None:
    assert calibration_error(np.empty(0), np.empty(0, np.bool_)) == 0


@given(ANSWERS)
def test_the_calibration_error_is_the_mean_gap_of_the_bins(answers: list[tuple[float, bool]]) -> None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for sure, good in answers:
        bins.setdefault(min(int(sure * BINS), BINS - 1), []).append((sure, good))
    gaps = [abs(sum(sure for sure, _ in held) - sum(good for _, good in held)) for held in bins.values()]
    confidence, right = (np.array(part) for part in zip(*answers, strict=True))
    assert calibration_error(confidence, right) == pytest.approx(sum(gaps) / len(answers))


@given(ANSWERS, st.sampled_from([0.0, 0.05, 0.2, 0.5]))
def test_the_threshold_keeps_its_promise(answers: list[tuple[float, bool]], error: float) -> None:
    confidence, right = (np.array(part) for part in zip(*answers, strict=True))
    kept = confidence >= threshold(confidence, right.astype(np.bool_), error)
    assert (~right[kept]).sum() <= error * kept.sum()


@given(st.lists(SHARES, min_size=1, max_size=40, unique=True), st.integers(0, 2**40), st.sampled_from([0.0, 0.05, 0.3]))
def test_no_lower_threshold_keeps_it(confidences: list[float], bits: int, error: float) -> None:
    confidence = np.array(confidences)
    right = np.array([bool(bits >> number & 1) for number in range(len(confidence))])
    limit = threshold(confidence, right, error)
    for lower in confidence[confidence < limit - 1e-5]:
        kept = confidence >= lower
        assert (~right[kept]).sum() > error * kept.sum()


def test_where_every_answer_is_right_the_threshold_lets_all_pass() -> None:
    confidence = np.array([0.2, 0.9, 0.6])
    assert (confidence >= threshold(confidence, np.ones(3, np.bool_), 0.05)).all()


def test_where_no_answer_is_right_the_threshold_lets_none_pass() -> None:
    confidence = np.array([0.2, 1.0, 0.6])
    assert not (confidence >= threshold(confidence, np.zeros(3, np.bool_), 0.05)).any()


@pytest.mark.parametrize(("right", "total"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (499, 900), (899, 900)])
def test_the_interval_is_the_one_of_wilson(right: int, total: int) -> None:
    known = binomtest(right, total).proportion_ci(0.95, "wilson")
    assert wilson(right, total) == pytest.approx((known.low, known.high), abs=1e-6)


def test_without_answers_the_interval_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_lift_is_how_much_likelier_a_label_is_under_a_category() -> None:
    categories, columns = np.repeat([0, 1], 10_000), np.concatenate([np.zeros(10_000), np.arange(10_000) % 2])
    lifts = lift(categories, columns.astype(np.int64), (3, 3))
    np.testing.assert_allclose(lifts[0], [1 / 0.75, 0, 1], atol=0.01)
    np.testing.assert_allclose(lifts[1], [0.5 / 0.75, 0.5 / 0.25, 1], atol=0.01)
    np.testing.assert_allclose(lifts[2], 1)
    assert (lifts[:, :2] > 0).all()


def test_few_rows_lift_little() -> None:
    rows = np.arange(2 * PRIOR)
    lifts = lift((rows == 0).astype(np.int64), (rows == 0).astype(np.int64), (2, 2))
    assert lifts[1, 1] == pytest.approx((1 + PRIOR * 0.025) / (1 + PRIOR) / 0.025)


@pytest.mark.parametrize("power", [0.0, 0.6])
def test_the_power_of_a_lift_is_found_again(power: float) -> None:
    random = np.random.default_rng(8)
    full = np.array([[4.0, 0.5, 0.2], [0.3, 2.0, 1.0]])
    category, own = random.dirichlet((0.3, 0.3), 30_000), random.dirichlet((0.7, 0.7, 0.7), 30_000)
    truth = lifted({"category": category, "": own}, {"": full**power})[""]
    columns = (truth.cumsum(axis=1) < random.random((30_000, 1))).sum(axis=1).clip(0, 2)
    degrees, found = settled(own, columns, category, full)
    assert degrees == pytest.approx(1, rel=0.06)
    np.testing.assert_allclose(found, full**power, rtol=0.12)


def test_without_rows_nothing_is_lifted() -> None:
    empty = np.empty((0, 3))
    degrees, lifts = settled(empty, np.empty(0, np.int64), np.empty((0, 2)), np.full((2, 3), 2.0))
    assert degrees == 1
    assert (lifts == 1).all()
