"""What many tests share: the taxonomy, some of the project's petitions, and a small real model."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from corpora.petitions import Row, default_taxonomy, read_rows
from nlp.decider import Decider
from nlp.model import Model, load
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.fitting import Recipe, fit
from training.heads import FitSettings

AT_LEAST = 6  # rows of every label, more than the folds of a fit


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return default_taxonomy()


@pytest.fixture(scope="session")
def corpus() -> list[Row]:
    return read_rows()


@pytest.fixture(scope="session")
def petitions(corpus: list[Row]) -> list[Row]:
    """The first rows that together hold every label of every task a few times."""
    held: Counter[tuple[str, str]] = Counter()
    chosen: list[Row] = []
    for row in corpus:
        labels = [(task, getattr(row, task)) for task in TASKS]
        if any(held[label] < AT_LEAST for label in labels):
            chosen.append(row)
            held.update(labels)
    return chosen


@pytest.fixture(scope="session")
def dataset(petitions: list[Row]) -> Dataset:
    labels = {task: [getattr(row, task) for row in petitions] for task in TASKS}
    return Dataset([Petition(row.id, row.text, row.title) for row in petitions], labels, "tests", "0" * 64)


@pytest.fixture(scope="session")
def model_folder(dataset: Dataset, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model, saved; tests that change its files copy the folder first."""
    folder = tmp_path_factory.mktemp("models") / "small"
    recipe = Recipe(heads=FitSettings(jobs=1))
    fit(dataset, taxonomy, recipe, lambda _what, _steps: None).save(folder, "small")
    return folder


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return load(model_folder)


@pytest.fixture(scope="session")
def decider(model: Model) -> Decider:
    return Decider(model)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run: what was not run was not checked."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("JIESU_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
