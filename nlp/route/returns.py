"""Returns (退单): what the reason of a return asks for, and who is to be proposed next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nlp.checked import STRICT, place_of, read_checked
from nlp.errors import RefusedData
from nlp.route.facts import Names

Answer = Literal["other_lead", "higher_tier", "other_place", "complete", "merge", "review"]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A kind of reason: the words that tell it, what it asks for, and the mode of the next route."""

    __pydantic_config__ = STRICT

    name: str
    answer: Answer
    mode: str
    words: Names = ()


@dataclass(frozen=True, kw_only=True)
class ReturnRules:
    """The kinds of reasons, the first that fits; the last has no words and takes what is left.

    steps: those of a review before a ticket is dispatched anew (改派); after `most` returns the coordinator decides.
    """

    __pydantic_config__ = STRICT

    steps: Names
    most: int
    reasons: tuple[Reason, ...]

    @classmethod
    def read(cls, path: Path) -> ReturnRules:
        """Read and check the rules; raises `RefusedData`."""
        rules = read_checked(path, cls)
        if not rules.reasons or rules.reasons[-1].words:
            location = ("reasons", max(0, len(rules.reasons) - 1))
            raise RefusedData(file=place_of(path, location), reason="最后一条 reasons 须不带 words，作为兜底")
        return rules

    def reason(self, text: str) -> Reason:
        """The kind that a reason in words belongs to."""
        return next((reason for reason in self.reasons if any(word in text for word in reason.words)), self.reasons[-1])


@dataclass(frozen=True)
class Returned:
    """A return: the unit that gave the ticket back, and its reason."""

    unit: str
    reason: str
