"""The cascade: what each threshold costs, which one is taken, and how two models are weighed, on made-up answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nlp.encoder import mixture, softmax
from nlp.heads import Matrix
from training.calibration import threshold
from training.cascade import LOSS, STEPS, Cascade, cascade, costs, weights

ROWS, LABELS = 600, 4
Columns = NDArray[np.int64]


def told(columns: Columns, skill: float, seed: int) -> Matrix:
    """Probabilities of a model that leans to the right label, more or less."""
    scores = np.random.default_rng(seed).normal(0, 1, (len(columns), LABELS))
    scores[np.arange(len(columns)), columns] += skill
    return softmax(scores)


@pytest.fixture(scope="module")
def columns() -> Columns:
    return np.random.default_rng(1).integers(0, LABELS, ROWS)


@pytest.fixture(scope="module")
def made(columns: Columns) -> Cascade:
    """Two models that know different things, the second one more."""
    return cascade({"category": told(columns, 1, 2)}, {"category": told(columns, 2, 3)}, {"category": columns}, 0.05)


def right(answers: Matrix, columns: Columns) -> float:
    return float((answers.argmax(axis=1) == columns).mean())


def test_points_go_from_never_to_always(made: Cascade, columns: Columns) -> None:
    linear, encoder = told(columns, 1, 2), told(columns, 2, 3)
    both = mixture(linear, encoder, made.mix["category"])
    prices = [point.cost for point in made.points]
    assert (prices[0], prices[-1]) == (0, 1)
    assert prices == sorted(prices)
    assert made.points[0].accuracy == right(linear, columns)
    assert made.points[-1].accuracy == right(both, columns)
    assert made.points[-1].accuracy > made.points[0].accuracy + 0.1
    assert made.rows == ROWS


@pytest.mark.parametrize("place", [30, 100, 170])
def test_a_point_is_what_serving_with_it_gives(made: Cascade, columns: Columns, place: int) -> None:
    linear, encoder = told(columns, 1, 2), told(columns, 2, 3)
    point = made.points[place]
    asked = linear.max(axis=1) < point.asked
    served = np.where(asked[:, None], mixture(linear, encoder, made.mix["category"]), linear)
    assert point.cost == pytest.approx(asked.mean())
    assert point.accuracy == pytest.approx(right(served, columns))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 4), st.floats(0, 4))
def test_the_cheapest_that_loses_little_is_taken(seed: int, one: float, other: float) -> None:
    columns = np.random.default_rng(seed).integers(0, LABELS, 80)
    linear, encoder = {"category": told(columns, one, seed + 1)}, {"category": told(columns, other, seed + 2)}
    found = cascade(linear, encoder, {"category": columns}, 0.05)
    enough = found.points[-1].accuracy - LOSS
    assert found.chosen.asked == found.asked
    assert found.chosen.accuracy >= enough
    assert all(point.accuracy < enough for point in found.points if point.cost < found.chosen.cost)


def test_a_second_model_of_noise_is_neither_heard_nor_asked(columns: Columns) -> None:
    """The first one is calibrated: its labels are drawn from what it says."""
    random = np.random.default_rng(4)
    linear = softmax(random.normal(0, 2, (4000, LABELS)))
    drawn = (random.random((4000, 1)) > linear.cumsum(axis=1)).sum(axis=1)
    noise = softmax(random.normal(0, 2, (4000, LABELS)))
    own, other = weights(linear, noise, drawn)
    assert own == pytest.approx(1, abs=0.1)
    assert other == pytest.approx(0, abs=0.05)
    found = cascade({"category": linear}, {"category": noise}, {"category": drawn}, 0.05)
    assert found.chosen.cost < 0.5


def test_of_two_alike_only_the_sum_of_their_weights_is_settled() -> None:
    random = np.random.default_rng(5)
    linear = softmax(random.normal(0, 2, (4000, LABELS)))
    drawn = (random.random((4000, 1)) > linear.cumsum(axis=1)).sum(axis=1)
    assert sum(weights(linear, linear, drawn)) == pytest.approx(1, abs=0.1)


def test_rows_without_a_label_are_left_out(made: Cascade, columns: Columns) -> None:
    unknown = np.full(100, -1)
    linear = np.concatenate([told(columns, 1, 2), told(np.zeros(100, np.int64), 3, 8)])
    encoder = np.concatenate([told(columns, 2, 3), told(np.zeros(100, np.int64), 3, 9)])
    found = cascade({"category": linear}, {"category": encoder}, {"category": np.r_[columns, unknown]}, 0.05)
    assert found == made


def test_every_task_of_the_encoder_has_weights_and_the_first_decides(made: Cascade, columns: Columns) -> None:
    linear = {"category": told(columns, 1, 2), "tier": told(columns, 3, 6), "clock": told(columns, 1, 1)}
    encoder = {"category": told(columns, 2, 3), "tier": told(columns, 0, 7)}
    labels = {"category": columns, "tier": columns, "clock": columns}
    found = cascade(linear, encoder, labels, 0.05)
    assert set(found.mix) == {"category", "tier"}
    assert found.mix["category"] == made.mix["category"]
    assert found.points == made.points
    assert found.mix["tier"][1] < 0.2 < found.mix["tier"][0]


def test_the_confidence_keeps_the_promise_where_the_encoder_was_asked(made: Cascade, columns: Columns) -> None:
    linear, encoder = told(columns, 1, 2), told(columns, 2, 3)
    asked = linear.max(axis=1) < made.asked
    both = mixture(linear, encoder, made.mix["category"])[asked]
    correct = both.argmax(axis=1) == columns[asked]
    alone = both.max(axis=1) >= made.confidence
    assert 0.1 < alone.mean() < 1
    assert (~correct[alone]).mean() <= 0.05
    assert made.confidence == threshold(both.max(axis=1), correct, 0.05)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_are_enough(columns: Columns, rows: int) -> None:
    few = columns[:rows]
    found = cascade({"tier": told(few, 1, 2)}, {"tier": told(few, 2, 3)}, {"tier": few}, 0.05)
    assert found.rows == rows
    assert 0 <= found.chosen.cost <= 1
    assert np.isfinite(list(found.mix["tier"])).all()


def test_without_rows_the_linear_model_answers_alone(columns: Columns) -> None:
    nobody = np.full(5, -1)
    linear, encoder = told(columns[:5], 1, 2), told(columns[:5], 2, 3)
    found = cascade({"category": linear}, {"category": encoder}, {"category": nobody}, 0.05)
    assert found.mix == {"category": (1.0, 0.0)}
    assert found.rows == 0
    assert not (linear.max(axis=1) < found.asked).any()
    assert found.as_dict()["share_asked"] == 0


def test_a_task_without_rows_stays_with_the_linear_model(columns: Columns) -> None:
    labels = {"category": columns, "tier": np.full(ROWS, -1)}
    linear, encoder = told(columns, 1, 2), told(columns, 2, 3)
    found = cascade(dict.fromkeys(labels, linear), dict.fromkeys(labels, encoder), labels, 0.05)
    assert found.mix["tier"] == (1.0, 0.0)


def test_the_card_tells_the_ends_and_the_chosen_point(made: Cascade) -> None:
    card = made.as_dict()
    assert card["rows"] == ROWS
    assert card["share_asked"] == round(made.chosen.cost, 4)
    assert card["accuracy_never_asked"] == round(made.points[0].accuracy, 4)
    assert card["accuracy_always_asked"] == round(made.points[-1].accuracy, 4)
    assert 20 <= len(card["points"]) <= 22
    assert all(0 <= cost <= 1 and 0 <= accuracy <= 1 for _, cost, accuracy in card["points"])


def test_equal_confidences_are_asked_together() -> None:
    alone = np.tile([0.6, 0.4], (10, 1))
    points = costs(alone, alone[:, ::-1], np.ones(10, np.int64))
    assert len(points) == STEPS + 2
    assert {(point.cost, point.accuracy) for point in points} == {(0.0, 0.0), (1.0, 1.0)}
