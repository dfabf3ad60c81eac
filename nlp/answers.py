"""Answers: what model and rules say of a batch, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlp.decision import Evidence
from nlp.heads import Probabilities
from nlp.redline import RedLine
from nlp.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Part:
    """One matter of a petition that holds several: its columns by task, `start:end` in the buffer.

    instead: of a main matter the category that the whole petition looked like, where that is another one.
    """

    columns: Mapping[str, int]
    start: int
    end: int
    instead: int | None = None


@dataclass(frozen=True)
class Answers:
    """The answers to a batch.

    best: task → (n,) columns; marginals: task → (n, labels); readable: (n,) any feature known.
    confidence: (n,) of the decided category; margin: (n,) lead of the first category.
    shortened: the petitions that were not read to their end. parts: the matters of those that hold several.
    asked: (n,) whether the encoder had a say.
    """

    best: dict[str, NDArray[np.intp]]
    marginals: Probabilities
    confidence: NDArray[np.float64]
    margin: NDArray[np.float64]
    readable: NDArray[np.bool_]
    redlines: dict[int, RedLine]
    shortened: frozenset[int]
    parts: dict[int, list[Part]]
    evidence: list[list[Evidence]]
    asked: NDArray[np.bool_]

    @cached_property
    def doubtful(self) -> dict[int, int]:
        """The petitions whose main matter is not what they looked like as a whole, and that category."""
        return {row: parts[0].instead for row, parts in self.parts.items() if parts and parts[0].instead is not None}

    def alone(self, limits: Thresholds) -> NDArray[np.bool_]:
        """(n,) which petitions are answered without a human."""
        sure = (self.confidence >= limits.least(self.asked)) & (self.margin >= limits.margin)
        alone: NDArray[np.bool_] = self.readable & sure
        alone[[*self.redlines, *self.shortened, *self.doubtful]] = False
        return alone


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers to several batches as those to one; there is at least one batch."""
    starts = np.cumsum([0, *(len(part.confidence) for part in parts)]).tolist()
    numbered = list(zip(starts, parts, strict=False))
    first = parts[0]
    return Answers(
        best={task: np.concatenate([part.best[task] for part in parts]) for task in first.best},
        marginals={task: np.concatenate([part.marginals[task] for part in parts]) for task in first.marginals},
        confidence=np.concatenate([part.confidence for part in parts]),
        margin=np.concatenate([part.margin for part in parts]),
        readable=np.concatenate([part.readable for part in parts]),
        redlines={start + row: found for start, part in numbered for row, found in part.redlines.items()},
        shortened=frozenset(start + row for start, part in numbered for row in part.shortened),
        parts={start + row: found for start, part in numbered for row, found in part.parts.items()},
        evidence=[words for part in parts for words in part.evidence],
        asked=np.concatenate([part.asked for part in parts]),
    )
