"""Settling: when the answer to a call may be shown as firm, and how often it changed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered after one of the caller's turns.

    confidence: the calibrated probability of the category. red_line: a rule of the closed list of emergencies held.
    """

    turn: int
    category: str
    confidence: float
    red_line: bool = False


@dataclass(frozen=True, slots=True)
class Settling:
    """An answer is firm from this confidence on, once it is that of so many of the caller's turns in a row.

    Chosen on our own calls, by writers whom the model had not read (benchmarks/calls.py): of the pairs whose first firm
    answer is also the last one in 95 of 100 calls, the one that settles the most of them. Of 200 calls without a red
    line 105 settle; 96.2 % of these answers stay and 85.7 % are right; on 278 other calls 96.1 % and 84.2 %.
    """

    confidence: float = 0.85
    same: int = 3

    def firm(self, told: Sequence[Told]) -> bool:
        """Whether the last of these answers may be shown as firm; a red line is, at once."""
        if not told or told[-1].red_line:
            return bool(told)
        last = told[-self.same :]
        alike = len(last) == self.same and len({answer.category for answer in last}) == 1
        return alike and last[-1].confidence >= self.confidence

    def since(self, told: Sequence[Told]) -> int | None:
        """The turn from which on the last answer has been firm without a break; none where it is not."""
        turn = None
        for end in range(len(told), 0, -1):
            one = told[end - 1]
            if not self.firm(told[:end]) or not (one.category == told[-1].category or one.red_line):
                break
            turn = one.turn
        return turn


def changes(told: Sequence[Told]) -> int:
    """How often the category went over into another."""
    return sum(before.category != after.category for before, after in pairwise(told))
