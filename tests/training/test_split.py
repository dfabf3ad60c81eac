"""What is held out has nothing in common with what is learned."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nlp.errors import InputError
from nlp.petition import Petition
from training.dataset import Dataset
from training.split import Split, split

START = datetime(2024, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.none() | st.integers(0, 50)), min_size=2, max_size=40
)


def made(rows: list[tuple[str, int, int | None]]) -> Dataset:
    """Rows of (label, group, day)."""
    petitions = [Petition(str(number), f"第{number}盏灯") for number in range(len(rows))]
    times = [None if day is None else START + timedelta(days=day) for _, _, day in rows]
    groups = [str(group) for _, group, _ in rows]
    return Dataset(petitions, {"category": [label for label, _, _ in rows]}, "工单.csv", "0", groups, times)


def apart(dataset: Dataset, result: Split) -> None:
    """No row is lost or on both sides, no group either, and no label is without a row to learn from."""
    assert sorted([*result.training, *result.held]) == list(range(len(dataset)))
    numbers = dataset.group_numbers
    assert not set(numbers[result.training].tolist()) & set(numbers[result.held].tolist())
    labels = dataset.labels["category"]
    assert {labels[row] for row in result.held} <= {labels[row] for row in result.training}


@given(ROWS, st.floats(0.05, 0.6), st.integers(0, 5))
def test_groups_stay_together_and_labels_can_be_learned(
    rows: list[tuple[str, int, int | None]], share: float, seed: int
) -> None:
    dataset = made(rows)
    groups = {label: {group for each, group, _ in rows if each == label} for label in "abcd"}
    if all(len(held) < 2 for held in groups.values()):
        with pytest.raises(InputError, match="留不出"):
            split(dataset, share, seed)
        return
    try:
        result = split(dataset, share, seed)
    except InputError:
        assume(False)  # so few that none is due
    apart(dataset, result)
    assert split(dataset, share, seed) == result


def test_the_latest_are_held_out_where_times_are_known() -> None:
    rng = np.random.default_rng(3)
    days = rng.permutation(100).tolist()
    dataset = made([("ab"[row % 2], row, days[row] if row % 10 else None) for row in range(100)])
    result = split(dataset, 0.2, 0)
    assert result.by == "time"
    assert len(result.held) == 20
    earliest = min(days[row] for row in result.held)
    assert all(days[row] < earliest for row in result.training if row % 10)
    assert "最晚" in result.told


def test_a_group_is_as_late_as_its_latest_row() -> None:
    dataset = made([("a", 0, 1), ("a", 1, 5), ("a", 2, 6), ("a", 0, 9), ("a", 3, 7)])
    assert split(dataset, 0.4, 0).held == [0, 3]


def test_few_times_are_no_times() -> None:
    dataset = made([("ab"[row % 2], row, row if row % 2 else None) for row in range(20)])
    assert split(dataset, 0.2, 0).by == "category"


@pytest.mark.parametrize("share", [0.1, 0.2, 0.37, 0.5])
def test_every_label_is_held_out_in_its_proportion(share: float) -> None:
    rng = np.random.default_rng(5)
    labels = rng.choice(list("abcd"), 4000, p=[0.7, 0.2, 0.08, 0.02]).tolist()
    dataset = made([(label, int(group), None) for label, group in zip(labels, range(4000), strict=True)])
    result = split(dataset, share, 1)
    apart(dataset, result)
    held, all_rows = Counter(labels[row] for row in result.held), Counter(labels)
    assert all(abs(held[label] - share * count) <= 2 for label, count in all_rows.items())
    assert split(dataset, share, 2).held != result.held


def test_large_groups_are_evened_out() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.integers(1, 40, 200)
    dataset = made([("ab"[group % 2], group, None) for group, size in enumerate(sizes.tolist()) for _ in range(size)])
    result = split(dataset, 0.2, 0)
    apart(dataset, result)
    assert 0.17 < len(result.held) / len(dataset) < 0.23


def test_a_label_with_one_group_stays_with_training() -> None:
    dataset = made([("a", row, row) for row in range(10)] + [("b", 99, 50)])
    result = split(dataset, 0.3, 0)
    assert 10 in result.training


def test_one_group_of_more_than_the_share_is_still_held_out() -> None:
    dataset = made([("a", row // 4, row) for row in range(12)])
    assert split(dataset, 0.1, 0).held == [8, 9, 10, 11]


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="比例"):
        split(made([("a", 0, 0), ("a", 1, 1)]), share, 0)


def test_one_group_alone_cannot_be_split() -> None:
    with pytest.raises(InputError, match="留不出"):
        split(made([("a", 0, 0), ("a", 0, 1)]), 0.5, 0)
