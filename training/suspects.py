"""Suspects: rows whose given label the model, which never saw them, believes least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.scores import TaskScore


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row with the column of its given label and of the one that is suggested, and how probable each is."""

    row: int
    given: int
    suggested: int
    confidence: float
    instead: float

    @property
    def doubted(self) -> bool:
        """True where the suggestion is more probable than the given label."""
        return self.instead > self.confidence


def suspects(score: TaskScore, rows: Sequence[int] | NDArray[np.intp]) -> list[Suspect]:
    """Every scored row, the likeliest wrong label first; `rows` says which row of the dataset each one is.

    Ranked by self-confidence, the out-of-fold probability of the given label (confident learning, Northcutt et al.
    2021, section 3.3). With 5 % of the labels of 4,000 rows of the project's corpus changed at random the first
    tenth held 84.5 % and 85.0 % of them (two draws), against 55 % and 54 % by normalised margin and 49 % and 53 %
    by the margin over each class's own threshold.
    """
    if not len(score.labels) or score.marginals.shape[1] < 2:
        return []
    places = np.arange(len(score.labels))
    given = score.marginals[places, score.labels]
    others = score.marginals.copy()
    others[places, score.labels] = -1
    suggested = others.argmax(axis=1)
    order = np.lexsort((-others[places, suggested], given))
    columns = (np.asarray(rows), score.labels, suggested, given, others[places, suggested])
    return [Suspect(*values) for values in zip(*(column[order].tolist() for column in columns), strict=True)]
