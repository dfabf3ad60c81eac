"""Former labels: what a petition's label under an old taxonomy says about its category under the active one.

It is learned in nlp/confusion.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from nlp.heads import LENDER, Heads, Matrix, Probabilities

DIGITS = 5  # of what is kept: sums may differ in the last bits from machine to machine
TINY = 1e-12


@dataclass(frozen=True)
class Former:
    """What the labels of an old taxonomy say.

    labels: the old ones, sorted. categories: codes of the active taxonomy. counts: (labels,) rows they were learned
    from. likelihoods: (labels, categories) how many times likelier a category is under a label than by its text alone,
    the likeliest 1. shares: (labels, categories) of the rows under a label. overall: (categories,) of all rows.
    """

    labels: tuple[str, ...]
    categories: tuple[str, ...]
    counts: NDArray[np.int64]
    likelihoods: Matrix
    shares: Matrix
    overall: NDArray[np.float64]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self.labels)}

    def __contains__(self, label: object) -> bool:
        """Whether a label says anything."""
        return label in self._places

    def told(self, labels: Sequence[str]) -> Matrix:
        """(rows, categories) likelihoods; a row of ones where the label is not known."""
        told = np.ones((len(labels), len(self.categories)))
        known = [(row, self._places[label]) for row, label in enumerate(labels) if label in self._places]
        if known:
            rows, places = zip(*known, strict=True)
            told[list(rows)] = self.likelihoods[list(places)]
        return told

    @cached_property
    def reliability(self) -> NDArray[np.float64]:
        """(labels,) how much a label narrows the answer: the share of the entropy over all rows that it takes away.

        Few rows look more alike than they are: their entropy is raised as Miller & Madow (1955) do.
        """
        whole = entropy(self.overall[None])[0]
        if whole <= 0:
            return np.zeros(len(self.labels))
        left = entropy(self.shares)
        left += np.expm1(left) / (2 * self.counts)
        taken: NDArray[np.float64] = np.clip(1 - left / whole, 0, 1)
        return taken

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return {
            "labels": list(self.labels),
            "categories": list(self.categories),
            "counts": self.counts.tolist(),
            "reliability": rounded(self.reliability).tolist(),
            "likelihoods": self.likelihoods.tolist(),
            "shares": self.shares.tolist(),
            "overall": self.overall.tolist(),
        }

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Former:
        """The one that `as_dict` gave."""
        width = len(held["categories"])
        return cls(
            tuple(held["labels"]),
            tuple(held["categories"]),
            np.array(held["counts"], np.int64),
            np.array(held["likelihoods"], np.float64).reshape(-1, width),
            np.array(held["shares"], np.float64).reshape(-1, width),
            np.array(held["overall"], np.float64),
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of what it says, in hexadecimal."""
        return hashlib.sha256(orjson.dumps(self.as_dict(), option=orjson.OPT_SORT_KEYS)).hexdigest()


def weighed(heads: Probabilities, told: Matrix, model: Heads) -> None:
    """Multiply the category's probabilities by what is told, in place, and let the tasks that go with it follow.

    told: (rows, categories) likelihoods; a row of equal ones changes nothing.
    """
    rows = np.flatnonzero(told.max(axis=1) > told.min(axis=1))
    before = heads["category"][rows]
    after = before * told[rows]
    after /= np.maximum(after.sum(axis=1, keepdims=True), TINY)
    for task, lift in model.lifts.items():
        if task not in model.lent and task != LENDER:
            ratio = np.einsum("nc,cl->nl", after, lift) / np.maximum(np.einsum("nc,cl->nl", before, lift), TINY)
            lifted = heads[task][rows] * ratio
            heads[task][rows] = lifted / lifted.sum(axis=1, keepdims=True)
    heads["category"][rows] = after


def entropy(shares: Matrix) -> NDArray[np.float64]:
    """(n, k) shares → (n,) in nats."""
    lost: NDArray[np.float64] = -(shares * np.log(np.maximum(shares, TINY))).sum(axis=1)
    return lost


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values as they are kept."""
    kept: NDArray[np.float64] = np.round(values, DIGITS)
    return kept
