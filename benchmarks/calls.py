"""Calls as they are spoken: how soon the category is right, how often it flips, when it may be shown as firm.

`python -m benchmarks calls` prints one JSON object a line. Our own calls are the rows whose register is `asr`. The
model is fitted without the five writers who wrote mostly calls (a tenth of the corpus, and more than a quarter of its
calls), so that every answer is to a writer it has not read. The rule for what is firm was chosen on two of these
writers (`python -m benchmarks.calls choose` shows its table) and is judged on the other three, whose figures had been
seen when the rule was fixed: they confirm it, they are no blind test.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks.measure import figure, tell
from benchmarks.petitions import NOW
from corpora.petitions import Row, default_taxonomy, read_rows
from nlp.decider import Decider, Options
from nlp.petition import Petition
from nlp.redline import RED_LINE_REASON
from nlp.segment import Segmenter, open_segmenter
from nlp.taxonomy import EMERGENCY
from serving.calls.settling import Settling, Told, changes
from training.calibration import wilson
from training.fitting import OWN, fit
from training.sources import from_corpus

CHOSEN_ON, JUDGED_ON = frozenset({"w5b", "w5d"}), frozenset({"w5a", "w5c", "w5e"})
CUTS = (0.25, 0.5, 0.75, 1.0)
BREATH = 16  # characters after which a speaker pauses; some three or four seconds of speech
LEAST = 4  # characters of a turn
PAUSES = re.compile(r"(?<=[，。！？；,.!?; ])")
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
SAMES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Spoken:
    """A call: its row, where its turns end (characters), and what was answered after each."""

    row: Row
    ends: list[int]
    told: list[Told]

    def until(self, cut: float) -> list[Told]:
        """The answers to as many turns as come nearest to a share of the characters."""
        wanted = cut * len(self.row.text)
        count = min(range(len(self.ends)), key=lambda turn: abs(self.ends[turn] - wanted)) + 1
        return self.told[:count]

    @property
    def red(self) -> bool:
        """Whether a red line was seen at any time."""
        return any(told.red_line for told in self.told)

    def right(self, told: Told) -> bool:
        """Whether an answer is the row's own label."""
        return told.category == self.row.category

    def stays(self, told: Told) -> bool:
        """Whether an answer is the last one, too."""
        return told.category == self.told[-1].category

    def first(self, rule: Settling) -> Told | None:
        """The first answer that is firm."""
        prefixes = (self.told[:count] for count in range(1, len(self.told) + 1))
        return next((told[-1] for told in prefixes if rule.firm(told)), None)


@cache
def words() -> Segmenter:
    """What knows where a word ends."""
    return open_segmenter()


def turns_of(text: str) -> list[str]:
    """A text as a recogniser gives it: cut where the speaker pauses or, without marks, between two words."""
    turns, turn = [], ""
    for clause in PAUSES.split(text):
        for word in words().cut(clause):
            turn += word
            if len(turn) >= BREATH:
                turns.append(turn)
                turn = ""
        if len(turn) >= LEAST:
            turns.append(turn)
            turn = ""
    if turn:
        turns[-1:] = [turns[-1] + turn] if turns else [turn]
    return turns


@cache
def decider() -> Decider:
    """A decider that has read nothing by the writers of these calls."""
    corpus = from_corpus()
    rows = [row for row, writer in enumerate(corpus.groups) if writer not in CHOSEN_ON | JUDGED_ON]
    return Decider(fit(corpus.part(rows), default_taxonomy(), OWN, lambda _what, _steps: None).model)


@cache
def calls() -> list[Spoken]:
    """All calls of these writers, answered turn by turn."""
    rows = [row for row in read_rows() if row.register == "asr" and row.writer in CHOSEN_ON | JUDGED_ON]
    return list(map(spoken, rows))


def spoken(row: Row) -> Spoken:
    """A row, spoken."""
    turns = turns_of(row.text)
    heard = [" ".join(turn.strip() for turn in turns[: count + 1]) for count in range(len(turns))]
    decisions = decider().decide([Petition(row.id, text) for text in heard], Options(NOW, evidence=False))
    told = [
        Told(
            number, one.category.code, one.category.confidence, any(r.startswith(RED_LINE_REASON) for r in one.reasons)
        )
        for number, one in enumerate(decisions, 1)
    ]
    return Spoken(row, [sum(map(len, turns[: count + 1])) for count in range(len(turns))], told)


def share(name: str, found: Sequence[bool]) -> None:
    """Print a share with its 95 % interval (Wilson 1927) and of how many it is."""
    low, high = wilson(sum(found), len(found))
    tell(figure(name, sum(found) / max(1, len(found)), f"of {len(found)}, 95 % interval {low:.3f} to {high:.3f}"))


def accuracy() -> None:
    """Accuracy at each cut, and how often the first answer was another one by then."""
    for cut in CUTS:
        share(f"calls.accuracy.{cut:.0%}", [call.right(call.until(cut)[-1]) for call in calls()])
        flipped = [call.told[0].category != call.until(cut)[-1].category for call in calls()]
        share(f"calls.first_answer_flipped.{cut:.0%}", flipped)
        share(f"calls.is_final_answer.{cut:.0%}", [call.stays(call.until(cut)[-1]) for call in calls()])
    tell(figure("calls.changes", sum(changes(call.told) for call in calls()) / len(calls()), "a call"))
    tell(figure("calls.turns", sum(len(call.told) for call in calls()) / len(calls()), "a call"))


def settled(rule: Settling) -> None:
    """How many calls without a red line have a firm answer at each cut, how many of these are right, and stay."""
    judged = [call for call in calls() if call.row.writer in JUDGED_ON and not call.red]
    for cut in CUTS:
        firm = [call for call in judged if rule.firm(call.until(cut))]
        share(f"calls.settled.{cut:.0%}", [call in firm for call in judged])
        share(f"calls.settled.{cut:.0%}.right", [call.right(call.until(cut)[-1]) for call in firm])
        share(f"calls.settled.{cut:.0%}.stays", [call.stays(call.until(cut)[-1]) for call in firm])
    first = [(call, call.first(rule)) for call in judged]
    share("calls.settled.ever", [told is not None for _, told in first])
    share("calls.settled.first.right", [call.right(told) for call, told in first if told])
    share("calls.settled.first.stays", [call.stays(told) for call, told in first if told])


def red_lines() -> None:
    """How many calls have a red line at each cut, and how that agrees with the label “emergency”."""
    urgent = [call for call in calls() if call.row.clock == EMERGENCY]
    for cut in CUTS:
        red = [call for call in calls() if call.until(cut)[-1].red_line]
        share(f"calls.red_line.{cut:.0%}", [call in red for call in calls()])
        share(f"calls.red_line.{cut:.0%}.labelled_emergency", [call in urgent for call in red])
        share(f"calls.emergency.{cut:.0%}.found", [call in red for call in urgent])


def choose() -> None:
    """Print what each pair of parameters settles, and how often the first firm answer is the last one, and right."""
    held = [call for call in calls() if call.row.writer in CHOSEN_ON and not call.red]
    for same in SAMES:
        for confidence in CONFIDENCES:
            first = [(call, call.first(Settling(confidence, same))) for call in held]
            name = f"calls.choose.{same}.{confidence}"
            share(f"{name}.settled", [told is not None for _, told in first])
            share(f"{name}.stays", [call.stays(told) for call, told in first if told])
            share(f"{name}.right", [call.right(told) for call, told in first if told])


def run() -> None:
    """All parts."""
    accuracy()
    settled(Settling())
    red_lines()


if __name__ == "__main__":
    choose() if "choose" in sys.argv[1:] else run()
