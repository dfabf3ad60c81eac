"""Facts: what the rules of routing may ask about a matter, and the conditions that ask it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from nlp.checked import STRICT
from nlp.place.area import NOWHERE, Area

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A matter as the rules see it; equal facts have equal routes.

    category, tier, clock, type: codes. words: those words of the rules that stand in its text.
    redline: the kind of its red line. source: how it came in, by the profile's `sources`.
    """

    category: str
    tier: str
    clock: str
    type: str
    words: frozenset[str] = frozenset()
    redline: str = ""
    area: Area = NOWHERE
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class When:
    """A condition: every list must be empty or hold what the matter has; of `words` and `place`, one is enough.

    parent: names of groups of categories, written out when a rule is read.
    """

    __pydantic_config__ = STRICT

    parent: Names = ()
    category: Names = ()
    tier: Names = ()
    clock: Names = ()
    type: Names = ()
    source: Names = ()
    redline: Names = ()
    words: Names = ()
    place: Names = ()
    outside: Names = ()
    """Places in none of which the matter may be."""

    def holds(self, facts: Facts) -> bool:
        """Whether the condition is met."""
        for name, wanted in self._single:  # no generator: a petition meets hundreds of conditions, few of which hold
            if getattr(facts, name) not in wanted:
                return False
        return (not self.words or not facts.words.isdisjoint(self.words)) and self._lies(facts)

    @cached_property
    def _single(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The lists of which a matter has one value, with what they hold; empty ones are left out."""
        return tuple((name, frozenset(getattr(self, name))) for name in SINGLE if getattr(self, name))

    def _lies(self, facts: Facts) -> bool:
        """Whether the matter lies where the condition asks it to."""
        if not self.place and not self.outside:
            return True
        units = set(facts.area)
        return (not self.place or not units.isdisjoint(self.place)) and units.isdisjoint(self.outside)

    @cached_property
    def constrained(self) -> frozenset[str]:
        """The names of the lists that are not empty."""
        return frozenset(name for name in CONDITIONS if getattr(self, name))

    @property
    def free(self) -> bool:
        """Whether every matter meets the condition."""
        return not self.constrained and not self.outside

    def contains(self, other: When, but: frozenset[str] = frozenset()) -> bool:
        """Whether every matter that meets the other condition, which has the same `outside`, meets this one.

        but: lists that are left out of account.
        """
        return all(
            set(getattr(other, name)) <= set(getattr(self, name)) and bool(getattr(other, name))
            for name in self.constrained - but
        )

    def meets(self, other: When) -> bool:
        """Whether both ask about the same things and share a value of each."""
        return self.constrained == other.constrained and all(
            set(getattr(self, name)) & set(getattr(other, name)) for name in self.constrained
        )


SINGLE = ("category", "tier", "clock", "type", "source", "redline")
CONDITIONS = tuple(field.name for field in fields(When) if field.name != "outside")
