"""The gates: what counts as worse, and by how much."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from nlp.errors import InputError
from nlp.model import Model
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.gates import (
    LIMITS,
    Limits,
    Sheet,
    calibration_gate,
    class_gates,
    compare,
    difference,
    f1_of,
    macro_gate,
    red_petitions,
    redline_gate,
    time_gate,
)

LABELS = np.array(["leak", "noise", "wages", "lamp"] * 50, np.str_)
QUICK = Limits(resamples=300, timed=10, turns=1)


def spoiled(share: float, code: str = "noise", seed: int = 1) -> np.ndarray:
    """The labels, a share of them answered by one code."""
    wrong = np.random.default_rng(seed).random(len(LABELS)) < share
    return np.where(wrong, code, LABELS)


def sheet(answers: np.ndarray, confidence: float = 1.0) -> Sheet:
    return Sheet("m", frozenset(LABELS.tolist()), answers, np.full(len(answers), confidence), np.ones(3, np.bool_))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcx")), min_size=1, max_size=60))
def test_f1_is_that_of_scikit_learn_over_the_labels_of_the_test_set(pairs: list[tuple[str, str]]) -> None:
    labels, answers = (np.array(column, np.str_) for column in zip(*pairs, strict=True))
    held = sorted(set(labels.tolist()))
    told = f1_score(labels, answers, labels=held, average=None, zero_division=0)
    assert f1_of(labels, answers) == pytest.approx(dict(zip(held, told, strict=True)))


def test_equal_answers_differ_by_nothing() -> None:
    assert difference(LABELS, spoiled(0.2), spoiled(0.2), QUICK) == (0, 0)
    assert macro_gate(LABELS, spoiled(0.2), spoiled(0.2), QUICK).passed


def test_the_interval_holds_the_difference_and_turns_with_its_sides() -> None:
    before, after = spoiled(0.3), spoiled(0.1, seed=2)
    low, high = difference(LABELS, before, after, QUICK)
    told = np.mean(list(f1_of(LABELS, after).values())) - np.mean(list(f1_of(LABELS, before).values()))
    assert 0 < low < told < high
    assert difference(LABELS, after, before, QUICK) == pytest.approx((-high, -low))


def test_the_interval_is_that_of_resamples_drawn_one_by_one() -> None:
    before, after = spoiled(0.3), spoiled(0.2, seed=2)
    chance, told = np.random.default_rng(5), []
    for _ in range(300):
        rows = chance.integers(0, len(LABELS), len(LABELS))
        old, new = (f1_score(LABELS[rows], answers[rows], average="macro") for answers in (before, after))
        told.append(new - old)
    expected = np.quantile(told, (0.025, 0.975))
    assert difference(LABELS, before, after, LIMITS) == pytest.approx(expected.tolist(), abs=0.02)


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 2**16))
def test_few_rows_and_rare_classes_give_an_interval(count: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    labels, before, after = (chance.choice(list("abcdefg"), count) for _ in range(3))
    low, high = difference(labels, before, after, QUICK)
    assert -1 <= low <= high <= 1


@pytest.mark.parametrize(("share", "passed"), [(0.0, True), (0.25, False)])
def test_a_lower_macro_f1_fails(share: float, passed: bool) -> None:
    gate = macro_gate(LABELS, LABELS, spoiled(share), QUICK)
    assert gate.passed == passed
    assert "95%" in gate.told


def test_a_challenger_that_may_well_be_worse_fails() -> None:
    before, after = spoiled(0.2), spoiled(0.2, seed=2)
    low, high = difference(LABELS, before, after, QUICK)
    assert low < -0.01 < high
    assert not macro_gate(LABELS, before, after, QUICK).passed
    assert macro_gate(LABELS, before, after, replace(QUICK, macro_f1=0.5)).passed


def test_a_class_that_loses_is_named_with_its_rows() -> None:
    after = LABELS.copy()
    after[np.flatnonzero(LABELS == "wages")[:10]] = "lamp"
    gates = list(class_gates(LABELS, LABELS, after, LIMITS))
    assert [gate.passed for gate in gates] == [False, False]
    assert "wages，50 行" in gates[0].name
    assert all(gate.passed for gate in class_gates(LABELS, LABELS, after, Limits(class_f1=0.2)))


def test_a_class_of_few_rows_decides_nothing() -> None:
    labels, after = LABELS[:100], LABELS[:100].copy()  # 25 rows a class
    after[labels == "wages"] = "lamp"
    (gate,) = class_gates(labels, labels, after, LIMITS)
    assert gate.passed
    assert "0 类" in gate.name


def test_red_lines_that_are_missed_fail() -> None:
    before = np.array([True, True, False])
    assert redline_gate(before, before).passed
    assert redline_gate(before, np.array([False, True, True])).passed  # as many won as lost
    gate = redline_gate(before, np.array([True, False, False]))
    assert not gate.passed
    assert "1/3" in gate.after


@pytest.mark.parametrize(("confidence", "passed"), [(1.0, True), (0.99, True), (0.9, False)])
def test_confidences_that_are_less_true_fail(confidence: float, passed: bool) -> None:
    assert calibration_gate(LABELS, sheet(LABELS), sheet(LABELS, confidence), LIMITS).passed == passed


@pytest.mark.parametrize(("seconds", "passed"), [((1e-3, 1.2e-3), True), ((1e-3, 1.3e-3), False)])
def test_a_slower_model_fails(seconds: tuple[float, float], passed: bool) -> None:
    assert time_gate(seconds, LIMITS).passed == passed


def test_the_projects_red_lines_are_read() -> None:
    assert len(red_petitions()) >= 150


@pytest.fixture(scope="module")
def few(dataset: Dataset) -> Dataset:
    return dataset.part(range(60))


def test_a_model_against_itself_passes(model: Model, few: Dataset) -> None:
    comparison = compare(model, model, few, replace(QUICK, slower=2))
    assert comparison.failed == ()
    assert (comparison.rows, comparison.task, comparison.notes) == (60, "类别", ())
    assert comparison.figures["champion_accuracy"] == comparison.figures["challenger_accuracy"]
    assert json.loads(json.dumps(comparison.as_dict()))["passed"] is True


def test_a_champion_that_does_not_know_a_label_is_wrong_on_it(model: Model, few: Dataset) -> None:
    codes = [{"leak": "renamed"}.get(code, code) for code in few.labels["category"]]
    strange = replace(few, labels={**few.labels, "category": codes})
    old = model.taxonomy.as_dict()
    new = json.loads(json.dumps(old).replace('"leak"', '"renamed"'))
    renamed = replace(model, taxonomy=Taxonomy.from_dict(new, Path("own")), name="renamed")
    comparison = compare(renamed, renamed, strange, QUICK)
    assert comparison.notes == ()
    worse = compare(model, renamed, strange, QUICK)
    rows = codes.count("renamed")
    assert rows
    assert len(worse.notes) == 1
    assert "renamed" in worse.notes[0]
    assert f"{rows} 行" in worse.notes[0]
    gained = comparison.figures["champion_accuracy"] - worse.figures["champion_accuracy"]
    assert 0 < gained <= rows / len(codes) + 1e-4


def test_rows_without_a_label_are_left_out_and_other_tasks_serve(model: Model, few: Dataset) -> None:
    blank = replace(few, labels={"category": ["", *few.labels["category"][1:]]})
    assert compare(model, model, blank, QUICK).rows == 59
    tiers = replace(few, labels={"tier": few.labels["tier"]})
    assert compare(model, model, tiers, QUICK).task == "层级"


def test_nothing_labelled_is_an_error(model: Model, few: Dataset) -> None:
    with pytest.raises(InputError, match="没有一行带标签"):
        compare(model, model, replace(few, labels={task: [""] * len(few) for task in TASKS}), QUICK)
