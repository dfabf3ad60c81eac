"""The page of what the default model reaches can be drawn from any labelled petitions."""

from __future__ import annotations

import pytest

from benchmarks import quality
from benchmarks.quality import confusions, curve, dictionary, reached, tasks_table
from nlp.model import Model
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.evaluation import Report, evaluate


@pytest.fixture(scope="module")
def report(model: Model, dataset: Dataset) -> Report:
    return evaluate(model, dataset)


def test_every_goal_stands_beside_what_was_reached(report: Report, taxonomy: Taxonomy) -> None:
    lines = list(reached(report, taxonomy))[1:]
    assert len(lines) == 12
    assert f"{report.tasks['category'].accuracy:.3f}" in lines[0]
    assert sum("≥" in line or "≤" in line for line in lines) == 12


def test_every_task_stands_in_the_table(report: Report, model: Model) -> None:
    lines = list(tasks_table(report, model))
    assert [line.split(" | ")[0] for line in lines[2:6]] == [f"| {task}" for task in TASKS]


def test_the_curve_and_the_dictionary_fit_anew(
    dataset: Dataset, model: Model, taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "SIZES", (100, 10_000))
    lines = list(curve(dataset, dataset, taxonomy))
    assert [line.split(" | ")[0] for line in lines[1:]] == ["| 100", f"| {len(dataset)}"]
    assert len(list(dictionary(dataset, model, taxonomy))) == 1 + len(TASKS)


def test_the_confusions_are_named_by_their_codes(report: Report, taxonomy: Taxonomy) -> None:
    told = "\n".join(confusions(report.tasks["category"], taxonomy))
    assert "F1" in told
    assert all(code in taxonomy.codes("category") for code in told.split("`")[1::2])
