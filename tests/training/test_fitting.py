"""A fit: what it refuses, what it says about itself, and that it can be repeated to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.decider import Decider
from nlp.errors import InputError
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASKS, Taxonomy
from training.calibration import TIE
from training.dataset import Dataset
from training.fitting import UNSURE, Recipe, fit
from training.heads import FitSettings, fit_heads

RECIPE = Recipe(heads=FitSettings(jobs=1))
FILES = ("tensors.safetensors", "words.txt", "grams.txt", "taxonomy.json", "manifest.json")


def quietly(_what: str, _steps: int) -> None:
    """No progress bar."""


def fitted(dataset: Dataset, taxonomy: Taxonomy) -> Model:
    return fit(dataset, taxonomy, RECIPE, quietly).model


def some(dataset: Dataset, rows: Sequence[int], **labels: Sequence[str]) -> Dataset:
    """Only these rows, some of their labels replaced."""
    part = dataset.part(rows)
    return replace(part, labels={**part.labels, **labels})


@pytest.fixture(scope="module")
def two_labels(dataset: Dataset, taxonomy: Taxonomy) -> Dataset:
    """Forty rows with two labels a task, the last of each task once more but too rarely."""
    labels = {}
    for task in TASKS:
        first, second, *_, last = taxonomy.codes(task)
        labels[task] = [first, second] * 19 + [last, last]
    return some(dataset, range(40), **labels)


def test_the_same_data_gives_the_same_bytes(
    dataset: Dataset, taxonomy: Taxonomy, model_folder: Path, tmp_path: Path
) -> None:
    fitted(dataset, taxonomy).save(tmp_path / "again", "small")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (model_folder / name).read_bytes()


def test_two_processes_change_no_byte(dataset: Dataset, taxonomy: Taxonomy, model_folder: Path, tmp_path: Path) -> None:
    fit(dataset, taxonomy, Recipe(heads=FitSettings(jobs=2)), quietly).model.save(tmp_path / "again", "small")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (model_folder / name).read_bytes()


def test_a_saved_model_says_what_it_was_made_of(model: Model, dataset: Dataset) -> None:
    assert model.card["data"] == "tests"
    assert model.card["hash"] == dataset.hash
    assert model.card["rows"] == len(dataset)
    assert model.card["error"] == RECIPE.error
    assert set(model.card["not_learned"]) == set(TASKS)
    assert set(model.scores["tasks"]) == set(TASKS)
    assert model.thresholds.margin == TIE


def test_every_label_that_has_rows_is_learned(model: Model) -> None:
    assert model.card["not_learned"] == {task: [] for task in TASKS}


def test_labels_with_too_few_rows_are_listed_and_never_answered(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    model = fitted(two_labels, taxonomy)
    answers = Decider(model).answers(Reader().fields(two_labels.fields))
    for task in TASKS:
        codes = taxonomy.codes(task)
        assert model.card["not_learned"][task] == codes[2:]
        rest = np.delete(answers.marginals[task], list(answers.redlines), axis=0)
        assert rest[:, 2:].max(initial=0) < 1e-3
        assert set(np.delete(answers.best[task], list(answers.redlines)).tolist()) <= {0, 1}


@pytest.mark.parametrize("rows", [0, 1, 3, 19])
def test_too_few_rows_are_refused(dataset: Dataset, taxonomy: Taxonomy, rows: int) -> None:
    with pytest.raises(InputError, match=f"tests：只有 {rows} 条"):
        fitted(some(dataset, range(rows)), taxonomy)


@pytest.mark.parametrize("task", TASKS)
def test_one_label_only_is_refused_by_column(dataset: Dataset, taxonomy: Taxonomy, task: str) -> None:
    one = [taxonomy.codes(task)[0]] * 30
    with pytest.raises(InputError, match=f"列 {task}"):
        fitted(some(dataset, range(30), **{task: one}), taxonomy)


@pytest.mark.parametrize("task", TASKS)
def test_a_column_without_any_label_is_refused_by_name(dataset: Dataset, taxonomy: Taxonomy, task: str) -> None:
    with pytest.raises(InputError, match=f"列 {task}"):
        fitted(some(dataset, range(30), **{task: [""] * 30}), taxonomy)


def test_a_label_outside_the_taxonomy_is_named_with_its_row(dataset: Dataset, taxonomy: Taxonomy) -> None:
    kinds = list(dataset.labels["type"][:30])
    kinds[16] = "wish"
    with pytest.raises(InputError, match="第 17 行，列 type：标签 'wish'"):
        fitted(some(dataset, range(30), type=kinds), taxonomy)


def test_labels_that_are_all_too_rare_are_refused(dataset: Dataset, taxonomy: Taxonomy) -> None:
    rare = taxonomy.codes("category")[:30]
    with pytest.raises(InputError, match="列 category"):
        fitted(some(dataset, range(30), category=rare), taxonomy)


def test_one_label_that_is_not_too_rare_is_refused(dataset: Dataset, taxonomy: Taxonomy) -> None:
    rare = taxonomy.codes("category")[:1] * 25 + taxonomy.codes("category")[1:6]
    with pytest.raises(InputError, match="列 category"):
        fitted(some(dataset, range(30), category=rare), taxonomy)


def test_a_dataset_without_any_labels_is_refused(dataset: Dataset, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match="tests：一个标签都没有"):
        fitted(replace(dataset, labels={}), taxonomy)


@pytest.mark.parametrize("task", ["category", "tier"])
def test_one_task_is_learned_by_itself(two_labels: Dataset, taxonomy: Taxonomy, task: str) -> None:
    done = fit(replace(two_labels, labels={task: two_labels.labels[task]}), taxonomy, RECIPE, quietly)
    assert done.model.tasks == list(done.report.tasks) == list(done.labels) == list(done.fitted) == [task]
    assert done.model.card["answered_by"] == {}
    if task == "tier":  # nothing is promised where no category was measured
        assert done.model.thresholds.confidence == UNSURE
        assert not done.report.alone.any()
        assert done.model.scores["answered_alone"] == 0


def test_missing_labels_of_a_task_cost_the_other_tasks_nothing(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    kept = ["" if row % 4 == 3 else code for row, code in enumerate(two_labels.labels["tier"])]
    tasks = ("category", "tier")
    part = replace(two_labels, labels={task: two_labels.labels[task] for task in tasks})
    one, other = (
        fit(each, taxonomy, RECIPE, quietly) for each in (part, replace(part, labels={**part.labels, "tier": kept}))
    )
    assert np.array_equal(one.fitted["category"].weights, other.fitted["category"].weights)
    assert len(other.report.tasks["category"].labels) == 38
    known = [bool(code) and code != taxonomy.codes("tier")[-1] for code in kept]
    assert other.report.known["tier"].tolist() == known
    assert other.model.scores["rows"] == 38


def test_rows_that_are_held_are_judged_and_nothing_else(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    held = np.arange(40) % 5 < 2
    told: list[int] = []
    done = fit(two_labels, taxonomy, replace(RECIPE, held=held), lambda _what, steps: told.append(steps))
    assert max(told) == len(TASKS)
    for task in TASKS:
        rare = np.array([code == taxonomy.codes(task)[-1] for code in two_labels.labels[task]])
        assert done.report.known[task].tolist() == (held & ~rare).tolist()
    assert not done.report.alone[~held].any()
    assert "留出" in done.model.scores["measured_on"]
    assert done.model.scores["rows"] == (held[:38]).sum()
    assert done.model.card["folds"] == 0


def test_what_was_fitted_can_be_taken_up_again(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    done = fit(two_labels, taxonomy, RECIPE, quietly)
    assert done.material.matrix.shape == (40, len(done.model.vocabulary))
    heads = fit_heads(done.material, done.labels, done.model.heads.widths, RECIPE.heads, lambda: None)
    weights = np.concatenate([heads[task].weights for task in TASKS], axis=1)
    assert np.array_equal(weights, done.model.heads.weights)


def test_petitions_with_nothing_to_read_are_refused(dataset: Dataset, taxonomy: Taxonomy) -> None:
    blank = replace(dataset, petitions=[Petition(petition.id, " ") for petition in dataset.petitions])
    with pytest.raises(InputError, match="tests"):
        fitted(blank, taxonomy)


def test_progress_is_told_to_the_end(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    told: list[int] = []
    fit(two_labels, taxonomy, RECIPE, lambda _what, steps: told.append(steps))
    assert sum(told) == 0
    assert max(told) == len(TASKS) * (RECIPE.heads.folds + 1)


def test_a_model_of_grouped_rows_says_how_it_was_measured(two_labels: Dataset, taxonomy: Taxonomy) -> None:
    grouped = replace(two_labels, groups=[str(number % 20) for number in range(len(two_labels))])
    assert "同组" in fitted(grouped, taxonomy).scores["measured_on"]
    assert "同组" not in fitted(two_labels, taxonomy).scores["measured_on"]
