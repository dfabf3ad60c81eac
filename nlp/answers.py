"""Answers: what model and rules say of a batch, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping
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

    @cached_property
    def doubtful(self) -> dict[int, int]:
        """The petitions whose main matter is not what they looked like as a whole, and that category."""
        return {row: parts[0].instead for row, parts in self.parts.items() if parts and parts[0].instead is not None}

    def alone(self, limits: Thresholds) -> NDArray[np.bool_]:
        """(n,) which petitions are answered without a human."""
        sure = (self.confidence >= limits.confidence) & (self.margin >= limits.margin)
        alone: NDArray[np.bool_] = self.readable & sure
        alone[[*self.redlines, *self.shortened, *self.doubtful]] = False
        return alone
