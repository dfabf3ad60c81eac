"""Reports of invented answers, and everything that a fit may tell besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from nlp.drift import Drift, Profile
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Label, Taxonomy
from training.curve import Curve
from training.dataset import Dataset
from training.evaluation import Report
from training.findings import Finding
from training.report import Extras
from training.scores import TaskScore
from training.suspects import suspects

DAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Case:
    """A report with its dataset and taxonomy."""

    report: Report
    dataset: Dataset
    taxonomy: Taxonomy


def invented(width: int) -> Taxonomy:
    """As many categories as that, each with an odd and long name."""
    labels = tuple(
        Label(f"c{number}", f"第{number}类 $x_{number}$ 名字很长很长很长很长很长") for number in range(width)
    )
    few = tuple(Label(f"f{number}", f"其中之{number}") for number in range(min(width, 3)))
    return Taxonomy("invented", labels, few, few, few)


def made(rows: int, width: int, *tasks: str) -> Case:
    """Answers by chance, a little better than that, to as many rows of as many labels."""
    random, taxonomy, scores = np.random.default_rng(rows), invented(width), {}
    for task in tasks:
        labels = random.integers(0, len(taxonomy.labels(task)), rows)
        marginals = random.dirichlet(np.ones(len(taxonomy.labels(task))), rows)
        marginals[np.arange(rows), labels] += 2 / marginals.shape[1]
        marginals /= marginals.sum(axis=1, keepdims=True)
        scores[task] = TaskScore(marginals.argmax(axis=1), labels, marginals)
    petitions = [
        Petition(str(row), f"第{row}根电线杆上的路灯不亮，晚上出门看不见路。", "路灯不亮") for row in range(rows)
    ]
    known = {task: np.ones(rows, np.bool_) for task in tasks}
    report = Report("m-1", "invented.csv", rows, scores, random.random(rows) < 0.5, known)
    return Case(report, Dataset(petitions, {}, "invented.csv", "0"), taxonomy)


@pytest.fixture(scope="session")
def make() -> Callable[..., Case]:
    return made


@pytest.fixture(scope="session")
def case() -> Case:
    return made(400, 6, *TASKS)


@pytest.fixture(scope="session")
def extras(case: Case) -> Extras:
    rows, scores = (100, 200, 400, 800), np.array([0.3, 0.4, 0.48, 0.55])
    noise = np.random.default_rng(1).normal(0, 0.01, (20, 4))
    before = Profile(900, {"c0": 500, "c1": 400}, 0.1, 80.0, (0, 0, 5, 10, 20, 40, 100, 200, 300, 225))
    after = Profile(100, {"c0": 20, "c2": 80}, 0.2, 60.5, (0, 0, 5, 10, 20, 10, 10, 20, 15, 10))
    found = [Finding("conflict", "同样的文字有两种标签。", 2, [12, 40]), Finding("leak", "一条也在测试集里。", 1)]
    ranked = {task: suspects(score, case.report.known[task].nonzero()[0]) for task, score in case.report.tasks.items()}
    law = Curve(rows, scores, scores + noise, 200, 1000)
    weighed = {
        "rows": 200, "share_asked": 0.25, "accuracy": 0.76, "accuracy_never_asked": 0.73,
        "accuracy_always_asked": 0.764, "points": [[0.0, 0.0, 0.73], [0.6, 0.25, 0.76], [1.01, 1.0, 0.764]],
    }  # fmt: skip
    return Extras("按登记人分组留出。", DAY, 0.7, found, law, Drift(before, after), ranked, cascade=weighed)
