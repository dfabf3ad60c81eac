"""Evaluate: what a model decides on labelled petitions, compared with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.decider import Decider
from nlp.model import Model
from nlp.reader import Reader
from nlp.taxonomy import TASKS
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


def evaluate(model: Model, dataset: Dataset) -> Report:
    """Ask the whole decider, rules included, about every row."""
    decider, reader = Decider(model), Reader()
    parts = [
        decider.answers(reader.fields(dataset.fields[2 * first : 2 * (first + CHUNK)]))
        for first in range(0, len(dataset), CHUNK)
    ]
    tasks, labelled = {}, {}
    for task in (task for task in TASKS if task in dataset.labels):
        columns = dataset.columns(task, model.taxonomy)
        known = columns != MISSING
        if known.any():
            labelled[task] = known
            best = np.concatenate([part.best[task] for part in parts])
            marginals = np.concatenate([part.marginals[task] for part in parts])
            tasks[task] = TaskScore(best[known], columns[known], marginals[known])
    alone = np.concatenate([part.alone(model.thresholds) for part in parts])
    return Report(model.name, dataset.name, len(dataset), tasks, alone, labelled)
