"""Answers: who is answered without a human, and several batches as one."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from nlp.answers import Answers, joined
from nlp.decider import Decider
from nlp.reader import READ_AT_MOST, Reader
from nlp.taxonomy import TASKS
from nlp.thresholds import Thresholds

PETITIONS = [
    "花溪路口的路灯坏了半个月，没人来修",
    "",
    "二期楼顶有人要跳楼，快来人",
    "青杉苑楼上漏水，物业不管",
    "工地半夜施工，吵得睡不着。" * (READ_AT_MOST // 10),
    "公交站牌倒了。另外，菜场门口的垃圾三天没有清运，臭得很，请环卫来收。",
]
FIELDS = [field for text in PETITIONS for field in ("", text)]


@pytest.fixture(scope="module")
def whole(decider: Decider) -> Answers:
    return decider.answers(Reader().fields(FIELDS), evidence=True)


@pytest.mark.parametrize("cut", [[6], [1, 5], [2, 3, 1], [1] * 6])
def test_batches_that_are_joined_are_the_answers_to_all(decider: Decider, whole: Answers, cut: list[int]) -> None:
    ends = np.cumsum(cut)
    parts = [
        decider.answers(Reader().fields(FIELDS[2 * (end - count) : 2 * end]), evidence=True)
        for count, end in zip(cut, ends, strict=True)
    ]
    one = joined(parts)
    for task in TASKS:
        assert np.array_equal(one.best[task], whole.best[task])
        assert np.allclose(one.marginals[task], whole.marginals[task])
    for name in ("confidence", "margin", "readable", "asked"):
        assert np.allclose(getattr(one, name), getattr(whole, name))
    assert set(one.redlines) == set(whole.redlines) == {2}
    assert one.shortened == whole.shortened == {4}
    assert set(one.parts) == set(whole.parts)
    assert one.evidence == whole.evidence
    assert one.doubtful == whole.doubtful


def test_every_field_is_joined(whole: Answers) -> None:
    twice = joined([whole, whole])
    for field in fields(Answers):
        assert type(getattr(twice, field.name)) is type(getattr(whole, field.name))
    assert len(twice.evidence) == len(twice.confidence) == len(twice.best["type"]) == 2 * len(PETITIONS)
    assert set(twice.redlines) == {2, 2 + len(PETITIONS)}


def test_nobody_is_answered_alone_who_was_not_read_or_is_in_danger(whole: Answers) -> None:
    alone = whole.alone(Thresholds(0, 0, 1))
    assert not alone[[1, 2, 4]].any()
    assert alone[[0, 3]].all()


def test_who_was_asked_has_a_threshold_of_its_own(whole: Answers) -> None:
    asked = np.array([True, False, False, False, False, False])
    answers = replace(whole, asked=asked, confidence=np.full(6, 0.7), parts={})
    one = Thresholds(confidence=0.8, margin=0, error=0.05, asked=0.6)
    assert answers.alone(one).tolist() == [True, False, False, False, False, False]
    other = Thresholds(confidence=0.6, margin=0, error=0.05, asked=0.8)
    assert answers.alone(other)[[0, 3]].tolist() == [False, True]


def test_a_model_without_an_encoder_asks_for_the_same_of_all() -> None:
    asked = np.array([True, False])
    assert Thresholds(0.8, 0, 0.05).least(asked).tolist() == [0.8, 0.8]
    assert Thresholds(0.8, 0, 0.05, 0.6).least(asked).tolist() == [0.6, 0.8]
    assert Thresholds(0.8, 0, 0.05, 0.0).least(asked).tolist() == [0.0, 0.8]
