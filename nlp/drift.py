"""Drift: how far petitions of another time are from those that a model learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.features import Features
from nlp.model import Model
from nlp.segment import Segmenter, open_segmenter
from nlp.text import Texts

BINS = 10  # of confidence, of equal width
LITTLE, MUCH = 0.1, 0.25  # the customary limits of the index (Siddiqi 2006)
HALF = 0.5  # a row that every label is given beforehand, so that an empty one has no infinite weight
Counts = NDArray[np.float64]


def stability(before: Counts, after: Counts) -> float:
    """The population stability index of two (labels,) counts: Σ (q − p)·ln(q / p), 0 where nothing changed.

    Siddiqi, Credit Risk Scorecards (2006), ch. 8: under 0.1 little change, over 0.25 much. Counts have half a row
    added, as Krichevsky and Trofimov (1981) do for unseen symbols.
    """
    if not len(before):
        return 0.0
    p, q = before + HALF, after + HALF
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def distance(before: Counts, after: Counts) -> float:
    """The total variation of two (labels,) counts: ½ Σ |q − p|, the share of rows that changed place.

    Levin and Peres, Markov Chains and Mixing Times (2017), proposition 4.2. 0 where either has no rows.
    """
    if not before.sum() or not after.sum():
        return 0.0
    return float(np.abs(after / after.sum() - before / before.sum()).sum() / 2)


@dataclass(frozen=True)
class Profile:
    """What a set of petitions is like, in figures alone, so that a model's card can keep it.

    mix: category code → rows. unknown: the share of words and character runs that the model's vocabulary lacks.
    length: mean, in characters. confidence: (BINS,) rows by how sure the model was of the category.
    """

    rows: int
    mix: Mapping[str, int]
    unknown: float
    length: float
    confidence: tuple[int, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """The inverse of `as_dict`."""
        mix = {str(code): int(rows) for code, rows in data["mix"].items()}
        sure = tuple(int(rows) for rows in data["confidence"])
        return cls(int(data["rows"]), mix, float(data["unknown"]), float(data["length"]), sure)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"mix": dict(self.mix), "confidence": list(self.confidence)}

    @property
    def sureness(self) -> float:
        """The mean confidence, each row at the middle of its bin."""
        middles = (np.arange(len(self.confidence)) + HALF) / len(self.confidence)
        return float(middles @ np.array(self.confidence) / max(1, sum(self.confidence)))


@dataclass(frozen=True)
class Moved:
    """A category whose share changed: its code, the share before and after."""

    code: str
    before: float
    after: float


@dataclass(frozen=True)
class Drift:
    """What the live model learned, beside what came later."""

    before: Profile
    after: Profile

    @property
    def codes(self) -> list[str]:
        """The categories of both, in the order in which they first come."""
        return list(dict.fromkeys([*self.before.mix, *self.after.mix]))

    def counts(self, profile: Profile) -> Counts:
        """(codes,) rows of a profile."""
        return np.array([profile.mix.get(code, 0) for code in self.codes], np.float64)

    @property
    def stability(self) -> float:
        """The population stability index of the categories."""
        return stability(self.counts(self.before), self.counts(self.after))

    @property
    def distance(self) -> float:
        """The total variation of the categories."""
        return distance(self.counts(self.before), self.counts(self.after))

    @property
    def confidence(self) -> float:
        """The population stability index of the live model's confidence."""
        return stability(np.array(self.before.confidence, np.float64), np.array(self.after.confidence, np.float64))

    @property
    def moved(self) -> list[Moved]:
        """The categories, the one whose share changed most first."""
        before, after = (self.counts(one) / max(1.0, self.counts(one).sum()) for one in (self.before, self.after))
        pairs = zip(self.codes, before.tolist(), after.tolist(), strict=True)
        return sorted((Moved(*pair) for pair in pairs), key=lambda one: -abs(one.after - one.before))

    @property
    def much(self) -> bool:
        """True where the categories or the confidence changed so much that the model should be fitted anew."""
        return max(self.stability, self.confidence) > MUCH

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "category_psi": round(self.stability, 4),
            "category_total_variation": round(self.distance, 4),
            "confidence_psi": round(self.confidence, 4),
        }


def profile(model: Model, texts: Texts, mix: Mapping[str, int], confidence: NDArray[np.float64],
            segmenter: Segmenter | None = None) -> Profile:  # fmt: skip
    """The profile of read petitions (titles and texts in turn) as the live model sees them.

    mix: category code → rows, as labelled or as answered. confidence: (rows,) of the answered categories.
    """
    tokens = Features(model.features, segmenter or open_segmenter(model.features.segmenter)).tokens(texts)
    known = model.vocabulary.table.columns(tokens.key) >= 0
    rows = len(texts) // 2
    length = (len(texts.codes) - len(texts)) / max(1, rows)  # every text ends with a newline that is not its own
    unknown = float(1 - known.mean()) if len(known) else 0.0
    return Profile(rows, {code: count for code, count in mix.items() if count}, unknown, length, binned(confidence))


def binned(confidence: NDArray[np.float64]) -> tuple[int, ...]:
    """(rows,) confidences → (BINS,) how many of them lie in each bin."""
    places = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return tuple(np.bincount(places, minlength=BINS).tolist())
