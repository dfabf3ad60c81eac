"""Decode together: the best category, tier and clock that can be true at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_toml
from nlp.heads import Matrix, Probabilities
from nlp.taxonomy import Taxonomy

JOINED = ("category", "tier", "clock")
TINY = 1e-300


@dataclass(frozen=True)
class Joint:
    """The joint answers of a batch.

    best: task → (n,) column of the most probable combination that the table allows.
    marginals: task → (n, labels) probability of each label, summed over what is allowed.
    """

    best: dict[str, NDArray[np.intp]]
    marginals: Probabilities

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(n,) probability of the decided category."""
        category = self.marginals["category"]
        sure: NDArray[np.float64] = category[np.arange(len(category)), self.best["category"]]
        return sure


class Table:
    """What can be true at once: an array (categories, tiers, clocks), read from rules."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        codes = {task: taxonomy.codes(task) for task in JOINED}
        allowed = np.ones([len(codes[task]) for task in JOINED], np.bool_)
        for rule in read_toml(DATA / "impossible.toml")["rules"]:
            lists = [[codes[t].index(c) for c in rule.get(t, codes[t]) if c in codes[t]] for t in JOINED]
            allowed[np.ix_(*lists)] = False
        self.allowed = allowed
        flat = allowed.reshape(len(allowed), -1).astype(np.float64)
        self._flat = flat
        self._kinds, self._kind = np.unique(flat, axis=0, return_inverse=True)

    def decode(self, heads: Probabilities) -> Joint:
        """Heads of each task, (n, labels) → joint answers under p(category) p(tier) p(clock) allowed."""
        category, tier, clock = (heads[task] for task in JOINED)
        pair = (tier[:, :, None] * clock[:, None, :]).reshape(len(tier), -1)
        mass = category * np.einsum("np,cp->nc", pair, self._flat)  # no BLAS: its threads cost more than they do
        total = np.maximum(mass.sum(axis=1, keepdims=True), TINY)
        cells = (np.einsum("nc,cp->np", category, self._flat) * pair / total).reshape(len(tier), tier.shape[1], -1)
        best_category, best_pair = self._best(category, pair)
        best_tier, best_clock = np.divmod(best_pair, clock.shape[1])
        return Joint(
            best={"category": best_category, "tier": best_tier, "clock": best_clock},
            marginals={"category": mass / total, "tier": cells.sum(axis=2), "clock": cells.sum(axis=1)},
        )

    def _best(self, category: Matrix, pair: Matrix) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Categories that allow the same pairs share the search for the best pair."""
        reach = pair[:, None, :] * self._kinds
        best_category = (category * reach.max(axis=2)[:, self._kind]).argmax(axis=1)
        rows = np.arange(len(pair))
        best_pair = reach[rows, self._kind[best_category]].argmax(axis=1)
        return best_category, best_pair
