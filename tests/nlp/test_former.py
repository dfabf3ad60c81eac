"""What is told by old labels is weighed, and leaves other rows alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.decider import Decider, Options
from nlp.former import weighed
from nlp.heads import Heads, Matrix
from nlp.petition import Petition

OPTIONS = Options(datetime(2026, 11, 23, tzinfo=UTC), evidence=False)


def heads(lifts: dict[str, Matrix]) -> Heads:
    return Heads(np.zeros((1, 5), np.float32), np.zeros(5, np.float32), {"category": 3, "tier": 2}, {}, lifts)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_is_told_leaves_probabilities(told: list[list[float]]) -> None:
    text = {"category": np.array([[0.5, 0.3, 0.2]] * len(told)), "tier": np.array([[0.6, 0.4]] * len(told))}
    weighed(text, np.array(told) + 1e-6, heads({"tier": np.array([[2.0, 0.5], [1, 1], [0.5, 2]])}))
    for answers in text.values():
        assert answers.sum(axis=1) == pytest.approx(np.ones(len(told)))
        assert (answers >= 0).all()


def test_other_tasks_follow_the_category() -> None:
    text = {"category": np.array([[0.5, 0.5, 0.0]]), "tier": np.array([[0.5, 0.5]])}
    weighed(text, np.array([[1.0, 0.01, 1]]), heads({"tier": np.array([[2.0, 0.5], [0.5, 2], [1, 1]])}))
    assert text["category"][0, 0] > 0.98
    assert text["tier"][0, 0] > 0.6


def test_a_decision_weighs_what_it_is_told_and_leaves_the_others_alone(decider: Decider) -> None:
    texts = ["小区门口的路灯不亮，晚上看不见路。", "楼上漏水，把天花板都泡坏了。", "广场舞太吵，孩子没法睡觉。"]
    petitions = [Petition(str(row), text) for row, text in enumerate(texts)]
    plain = decider.decide(petitions, OPTIONS)
    codes = decider.model.taxonomy.codes("category")
    told = np.ones((3, len(codes)))
    other = next(one.code for one in plain[1].category.alternatives)
    told[1] = 1e-9
    told[1, codes.index(other)] = 1
    both = decider.decide(petitions, OPTIONS, told)
    assert both[1].category.code == other != plain[1].category.code
    assert both[1].category.confidence > 0.9
    for row in (0, 2):
        assert replace(both[row], decision_id="") == replace(plain[row], decision_id="")
