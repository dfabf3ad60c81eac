"""Rising words and places: what decisions rest on and where they lie, now more often than before, beyond chance.

The score is the signed root of the log-likelihood ratio (Dunning 1993, Accurate methods for the statistics of surprise
and coincidence), of the decisions that hold a word. Log-odds with an informative prior (Monroe, Colaresi and Quinn
2008, Fightin' words) were tried: there a word seen thirty times that nobody said before scores 1, for its prior is
nearly empty, and news is what is looked for. A word is told where its score passes what the largest of so many scores
reaches by chance in one of twenty windows (Bonferroni).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select, true

from serving.desk.overview.window import Asked
from serving.journal.decided import opened
from serving.store import tables

SAMPLE = 8000  # decisions of each window whose contents are read: a second
CHANCE = 0.05
LEAST, SHORTEST, SHOWN = 3, 2, 12  # decisions that hold it, characters, words of each kind
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of a ULID
TAIL = 3  # of its last ones, which are random
KINDS = ("word", "place")


@dataclass(frozen=True)
class Risen:
    """A word in so many decisions of the window and of the one before."""

    text: str
    now: int
    before: int
    score: float


@dataclass(frozen=True)
class Heard:
    """What rose of each kind; of how many decisions of all so many were read."""

    risen: dict[str, list[Risen]]
    read: tuple[int, int]
    held: tuple[int, int]

    @property
    def sampled(self) -> bool:
        """Whether not all were read."""
        return self.read != self.held


def rising(connection: Connection, asked: Asked) -> Heard:
    """What rose since the window before."""
    (now, read), (before, read_before) = _tallied(connection, asked), _tallied(connection, asked.before)
    held = _held(connection, asked), _held(connection, asked.before)
    risen = {kind: risen_of(now[kind], before[kind], read, read_before) for kind in KINDS}
    return Heard(risen, (read, read_before), held)


def risen_of(now: Counter[str], before: Counter[str], rows: int, rows_before: int) -> list[Risen]:
    """The words that rose beyond chance, the highest score first; rows: decisions that were read."""
    words = [word for word, count in now.items() if count >= LEAST]
    if not words or not rows_before:
        return []
    least = NormalDist().inv_cdf(1 - CHANCE / len(words))
    found = [Risen(word, now[word], before[word], score(now[word], rows, before[word], rows_before)) for word in words]
    over = [one for one in found if one.score > least]
    return sorted(over, key=lambda one: (-one.score, one.text))[:SHOWN]


def score(now: int, rows: int, before: int, rows_before: int) -> float:
    """√G², negative for what fell; 0 where both shares are the same."""
    share = (now + before) / (rows + rows_before)
    gain = sum(
        _term(count, whole * share) + _term(whole - count, whole * (1 - share))
        for count, whole in ((now, rows), (before, rows_before))
    )
    return math.copysign(math.sqrt(max(0.0, 2 * gain)), now * rows_before - before * rows)


def _term(observed: float, expected: float) -> float:
    return observed * math.log(observed / expected) if observed else 0.0


def words_of(decision: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The kind and the text of what a decision's category rests on, and of its places; each once."""
    for one in {one["text"] for one in decision["evidence"] if one["task"] == "category" and one["weight"] > 0}:
        if len(one) >= SHORTEST:
            yield "word", one
    for one in {one["text"] for one in decision["places"]}:
        yield "place", one


def _tallied(connection: Connection, asked: Asked) -> tuple[dict[str, Counter[str]], int]:
    """Kind → text → decisions that hold it, and how many were read."""
    tallies: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    read = 0
    for content in _contents(connection, asked):
        read += 1
        for kind, text in words_of(opened(content)):
            tallies[kind][text] += 1
    return tallies, read


def _contents(connection: Connection, asked: Asked) -> Iterable[bytes]:
    column = tables.decisions.c
    share = SAMPLE / max(1, _held(connection, asked))
    query = select(column.content).where(asked.window.spans(column.at), *asked.only, _drawn(column.id, share))
    return connection.execution_options(yield_per=500).execute(query).scalars()


def _drawn(name: Any, share: float) -> ColumnElement[bool]:
    """Whether a decision is among the share that is read: by its id's last digits, so always the same ones."""
    number = round(share * len(DIGITS) ** TAIL)
    if share >= 1:
        return true()
    digits = "".join(DIGITS[number // len(DIGITS) ** place % len(DIGITS)] for place in range(TAIL - 1, -1, -1))
    return func.substr(name, 27 - TAIL) < literal(digits)


def _held(connection: Connection, asked: Asked) -> int:
    query = select(func.count()).select_from(tables.decisions)
    return connection.scalar(query.where(asked.window.spans(tables.decisions.c.at), *asked.only)) or 0
