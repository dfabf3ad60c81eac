"""Evaluate: what a model decides on labelled petitions, compared with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.answers import Answers, joined
from nlp.decider import Decider
from nlp.model import Model
from nlp.reader import Reader
from training.dataset import MISSING, Dataset
from training.scores import TaskScore

CHUNK = 1024


@dataclass(frozen=True)
class Report:
    """Scores of a model on a dataset; every figure is of `rows` petitions, with its interval.

    alone: (rows,) answered without a human. known: task → (rows,) rows that have a label.
    """

    model: str
    data: str
    rows: int
    tasks: dict[str, TaskScore]
    alone: NDArray[np.bool_]
    known: dict[str, NDArray[np.bool_]]

    @property
    def coverage(self) -> float:
        """The share of petitions that the model answers without a human."""
        return float(self.alone.mean()) if len(self.alone) else 0.0

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(rows,) the probability of the decided category, 0 where no category was judged."""
        sure = np.zeros(self.rows)
        if "category" in self.tasks:
            sure[self.known["category"]] = self.tasks["category"].confidence
        return sure

    def error_alone(self, task: str) -> float:
        """The share of wrong answers to `task` among the petitions answered without a human."""
        alone = self.alone[self.known[task]]
        return float((~self.tasks[task].right[alone]).mean()) if alone.any() else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON, with what the model answers alone."""
        return {
            "rows": self.rows,
            "tasks": {task: score.as_dict() for task, score in self.tasks.items()},
            "model": self.model,
            "data": self.data,
            "among_three": round(self.tasks["category"].among(3), 4) if "category" in self.tasks else None,
            "tier_kappa": round(self.tasks["tier"].kappa, 4) if "tier" in self.tasks else None,
            "answered_alone": round(self.coverage, 4),
            "error_alone": {task: round(self.error_alone(task), 4) for task in self.tasks},
        }


def answered(decider: Decider, dataset: Dataset, *, high: bool = False) -> Answers:
    """What the whole decider, rules included, says of every row; `high` asks the encoder too."""
    reader = Reader()
    parts = [
        decider.answers(reader.fields(dataset.fields[2 * first : 2 * (first + CHUNK)]), high=high)
        for first in range(0, len(dataset), CHUNK)
    ]
    return joined(parts)


def evaluate(model: Model, dataset: Dataset, *, high: bool = False) -> Report:
    """Compare the answers to every row with its labels."""
    decider = Decider(model)
    answers = answered(decider, dataset, high=high)
    tasks, labelled = {}, {}
    for task in dataset.labels:
        columns = dataset.columns(task, model.taxonomy)
        known = columns != MISSING
        if known.any():
            labelled[task] = known
            tasks[task] = TaskScore(answers.best[task][known], columns[known], answers.marginals[task][known])
    alone = answers.alone(model.thresholds)
    return Report(model.name, dataset.name, len(dataset), tasks, alone, labelled)
