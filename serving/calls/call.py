"""A call as it is kept: masked turns, the answers after them, and what belongs to the call."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import orjson

from nlp.errors import InputError
from serving.calls.seams import Seams
from serving.calls.settling import Told
from serving.calls.turns import TurnIn

MOST_TURNS = 2000
MOST_CHARACTERS = 100_000
LEVEL = 1  # of zlib


class CallTooLong(InputError):
    """一通电话最多 {turns} 个话轮、市民的话 {characters} 字"""

    path = "turns"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; `text` is masked, and empty where the operator spoke: those words are not kept."""

    number: int
    text: str
    caller: bool
    final: bool


@dataclass(frozen=True)
class Call:
    """All that is kept of a call.

    decision_id: made at its first turn. received_at: milliseconds; the clock runs from there. turns: by number.
    told: the answers so far. subject: stands for the caller's number, see `subject_of`.
    """

    decision_id: str
    received_at: int
    turns: tuple[Turn, ...] = ()
    told: tuple[Told, ...] = ()
    location: str = ""
    profile: str = ""
    subject: str | None = None
    ended: bool = False

    @classmethod
    def opened(cls, content: bytes) -> Call:
        """The inverse of `packed`."""
        fields = orjson.loads(zlib.decompress(content))
        turns = tuple(Turn(*turn) for turn in fields.pop("turns"))
        return cls(turns=turns, told=tuple(Told(*one) for one in fields.pop("told")), **fields)

    @property
    def packed(self) -> bytes:
        """The call as bytes; the same call always gives the same ones."""
        turns = [(turn.number, turn.text, turn.caller, turn.final) for turn in self.turns]
        told = [(one.turn, one.category, one.confidence, one.red_line) for one in self.told]
        fields = asdict(replace(self, turns=(), told=()))
        return zlib.compress(orjson.dumps({**fields, "turns": turns, "told": told}), LEVEL)

    @cached_property
    def spoken(self) -> tuple[Turn, ...]:
        """The caller's turns in which something was said."""
        return tuple(turn for turn in self.turns if turn.caller and turn.text)

    def transcript(self, last: int | None = None) -> str:
        """The caller's words, masked, up to a turn or all of them."""
        return " ".join(turn.text for turn in self.spoken if last is None or turn.number <= last)

    def lacks(self, turns: Sequence[TurnIn]) -> bool:
        """Whether one of these turns is not known by its number."""
        known = {turn.number for turn in self.turns}
        return any(turn.number not in known for turn in turns)

    def heard(self, turns: Sequence[TurnIn], seams: Seams) -> Call:
        """The call after more turns; answers to words that were others then are forgotten. Raises `CallTooLong`."""
        held = {turn.number: turn for turn in self.turns}
        for said in turns:
            number = max(held, default=0) + 1 if said.number is None else said.number
            if said.final or number not in held or not held[number].final:
                held[number] = Turn(number, said.text if said.by_caller else "", said.by_caller, said.final)
        if len(held) > MOST_TURNS or sum(len(turn.text) for turn in held.values()) > MOST_CHARACTERS:
            raise CallTooLong(turns=MOST_TURNS, characters=MOST_CHARACTERS)
        masked = _masked([held[number] for number in sorted(held)], seams)
        first = min((turn.number for turn in set(masked) ^ set(self.turns)), default=None)
        told = tuple(one for one in self.told if first is None or one.turn < first)
        return replace(self, turns=masked, told=told)

    def closed(self) -> Call:
        """The call after its end: the words stand in the decision, here only which turns there were."""
        turns = tuple(replace(turn, text="") for turn in self.turns)
        return replace(self, turns=turns, location="", ended=True)


def _masked(turns: Sequence[Turn], seams: Seams) -> tuple[Turn, ...]:
    """The turns, the caller's masked together."""
    texts = iter(seams.masked([turn.text for turn in turns if turn.caller]))
    return tuple(replace(turn, text=next(texts)) if turn.caller else turn for turn in turns)
