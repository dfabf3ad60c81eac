"""What routing, places and matters add to `decide` in batches of 1,024."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from benchmarks.measure import figure, rates, tell
from benchmarks.petitions import decider, letters, options, own
from nlp.answers import Part
from nlp.decider import Decider
from nlp.dispatch import Asked, Dispatched
from nlp.petition import Petition
from nlp.place.finder import Found
from nlp.reader import Reading


class NoRules:
    """In place of the dispatcher: the answer of a batch that was routed before, so that only the rest is timed."""

    def __init__(self, ready: Decider, petitions: Sequence[Petition]) -> None:
        self.router = ready.router
        reading = ready._reader.read(petitions)
        now = options(evidence=False).now
        sent = ready.dispatcher.dispatch(petitions, reading, ready.asked(reading), "plain", now)
        self._sent = {petition.id: one for petition, one in zip(petitions, sent, strict=True)}

    def dispatch(
        self, petitions: Sequence[Petition], reading: Reading, asked: Sequence[Asked], profile: str, now: datetime
    ) -> list[Dispatched]:
        """What was found before."""
        return [self._sent[petition.id] for petition in petitions]


class NoDivision:
    """In place of the divider: every petition is one matter."""

    def divide(self, *_: object) -> dict[int, list[Part]]:
        """No matters."""
        return {}


class NoPlaces:
    """In place of the finder: no text names a place."""

    def find(self, *_: object) -> list[Found]:
        """No places."""
        return []


def variants(petitions: Sequence[Petition]) -> dict[str, Decider]:
    """The same model with nothing, with routing, with places, with matters, with all."""
    made: dict[str, Decider] = {}
    for name in ("bare", "routing", "places", "matters", "all"):
        one = Decider(decider().model)
        if name in ("bare", "matters"):
            one.dispatcher = NoRules(decider(), petitions)
        if name == "routing":
            one.dispatcher._finder = NoPlaces()
        if name not in ("matters", "all"):
            one._divider = NoDivision()
        made[name] = one
    return made


def run() -> None:
    """Print how much longer a batch takes with each part; `ratio` is the rate with it over the rate without."""
    for name, petitions in (("letters", letters()), ("own", own())):
        works = {
            part: (lambda one=one, petitions=petitions: one.decide(petitions, options(evidence=False)))
            for part, one in variants(petitions).items()
        }
        found = rates(works, len(petitions), rounds=9)
        for part in ("routing", "places", "matters", "all"):
            against = "routing" if part == "places" else "bare"
            tell(figure(f"routing.{name}.{part}", found[part], "petitions/s", found[against]))
