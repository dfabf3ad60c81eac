"""An evaluation judges what the service would answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

import training.evaluation
from nlp.decider import Decider, Options
from nlp.decision import Decision
from nlp.errors import InputError
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import READ_AT_MOST, Reader
from nlp.taxonomy import TASKS
from training.dataset import Dataset
from training.evaluation import Report, evaluate

NOW = datetime(2026, 11, 23, 1, 12, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def report(model: Model, dataset: Dataset) -> Report:
    return evaluate(model, dataset)


@pytest.fixture(scope="module")
def decisions(decider: Decider, dataset: Dataset) -> list[Decision]:
    return decider.decide(dataset.petitions, Options(NOW, evidence=False))


@pytest.mark.parametrize("task", TASKS)
def test_its_answers_are_those_of_the_decider(report: Report, decider: Decider, dataset: Dataset, task: str) -> None:
    """Those before the rules of routing, which may raise a tier."""
    asked = decider.asked(Reader().read(dataset.petitions))
    right = [one.codes[TASKS.index(task)] == label for one, label in zip(asked, dataset.labels[task], strict=True)]
    assert report.tasks[task].right.tolist() == right
    assert report.tasks[task].accuracy == pytest.approx(sum(right) / len(right))


def test_alone_is_what_needs_no_human(report: Report, decisions: list[Decision]) -> None:
    assert report.alone.tolist() == [not decision.needs_human for decision in decisions]
    assert report.coverage == pytest.approx(sum(report.alone) / len(decisions))


def test_a_text_too_long_to_be_read_is_not_answered_alone(model: Model, dataset: Dataset) -> None:
    certain = replace(model, thresholds=replace(model.thresholds, confidence=0.0, margin=0.0))
    long = [replace(petition, text=petition.text + "，" + "好的" * READ_AT_MOST) for petition in dataset.petitions[:3]]
    few = replace(dataset, petitions=long, labels={task: dataset.labels[task][:3] for task in TASKS})
    needed = [decision.needs_human for decision in Decider(certain).decide(long, Options(NOW))]
    assert [not alone for alone in evaluate(certain, few).alone] == needed


def test_the_size_of_the_chunks_changes_nothing(
    model: Model, dataset: Dataset, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.evaluation, "CHUNK", 7)
    assert evaluate(model, dataset).as_dict() == report.as_dict()


def test_its_figures_have_the_keys_of_the_contract(report: Report, dataset: Dataset) -> None:
    told = report.as_dict()
    assert told["rows"] == len(dataset)
    assert list(told["tasks"]) == list(TASKS)
    for score in told["tasks"].values():
        assert {"accuracy", "macro_f1", "interval", "calibration_error"} <= set(score)
        low, high = score["interval"]
        assert 0 <= low <= score["accuracy"] <= high <= 1
    assert (told["model"], told["data"]) == (report.model, "tests")


def test_rows_without_a_label_do_not_count(model: Model, dataset: Dataset) -> None:
    tiers = ["" if number % 2 else tier for number, tier in enumerate(dataset.labels["tier"])]
    part = evaluate(model, replace(dataset, labels=dict(dataset.labels) | {"tier": tiers}))
    assert len(part.tasks["tier"].labels) == sum(map(bool, tiers))
    assert len(part.tasks["category"].labels) == len(dataset)


def test_tasks_without_labels_are_left_out(model: Model, dataset: Dataset) -> None:
    nothing = [""] * len(dataset)
    told = evaluate(model, replace(dataset, labels={"tier": dataset.labels["tier"], "type": nothing})).as_dict()
    assert list(told["tasks"]) == ["tier"]
    assert told["among_three"] is None


def test_the_error_alone_is_that_of_the_answers_without_a_human(report: Report) -> None:
    for task in TASKS:
        wrong = (~report.tasks[task].right & report.alone).sum()
        assert report.error_alone(task) == pytest.approx(wrong / max(report.alone.sum(), 1))


def test_a_label_outside_the_taxonomy_is_named(model: Model, dataset: Dataset) -> None:
    wrong = ["galaxy", *dataset.labels["tier"][1:]]
    with pytest.raises(InputError, match="第 1 行，列 tier"):
        evaluate(model, replace(dataset, labels={"tier": wrong}))


def test_empty_petitions_are_judged_and_not_answered_alone(model: Model) -> None:
    empty = Dataset([Petition("1", ""), Petition("2", " ")], {"tier": ["city", "city"]}, "empty", "0")
    report = evaluate(model, empty)
    assert report.rows == len(report.tasks["tier"].labels) == 2
    assert not report.alone.any()
