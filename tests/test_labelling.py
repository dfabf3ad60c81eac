"""The simulation of labelling runs on any labelled letters and draws the same twice."""

from __future__ import annotations

import pytest

from benchmarks.labelling import STRATEGIES, grow, letters, mean, needed
from corpora.petitions import Row


@pytest.mark.parametrize("strategy", ["random", "next"])
def test_labels_are_bought_in_batches_and_a_draw_repeats(strategy: str, petitions: list[Row]) -> None:
    assert strategy in STRATEGIES
    rows = petitions[:240]
    data = letters(*([getattr(row, name) for row in rows] for name in ("title", "text", "tier", "id")))
    curve = grow(data, strategy, 0, most=150)
    assert list(curve) == [50, 100, 150]
    assert all(0 <= value <= 1 for value in curve.values())
    assert curve == grow(data, strategy, 0, most=150)


def test_the_labels_needed_are_those_from_which_a_curve_stays_above() -> None:
    assert needed({50: 0.1, 100: 0.5, 150: 0.4, 200: 0.6}, 0.45) == 200
    assert needed({50: 0.5, 100: 0.5}, 0.45) == 50
    assert needed({50: 0.1, 100: 0.2}, 0.45) == 150
    assert mean([{50: 0.0}, {50: 1.0}]) == {50: 0.5}
