"""Recent: tickets on the same place or in the same words, found in memory among the last few thousand.

Only what the store holds is kept, which is masked; each process reads what is new at most once a second.
"""

from __future__ import annotations

import heapq
import re
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from serving.access.single import Single
from serving.journal.decided import opened
from serving.journal.journal import Journal
from serving.store.engine import StoreDown
from serving.store.tables import decisions
from serving.times import millis

MOST = 5000  # tickets
DAYS = 30
DAY = 86_400_000  # milliseconds
EVERY = 1.0  # seconds between two readings
OVERLAP = 3000  # milliseconds: another process may write a ticket after a later one was read
PORTION = 250  # rows whose contents are opened before somebody else may look
SHOWN = 5
SAME_PLACE, SAME_NUMBER = 100.0, 60.0  # four words together reach 34
COMMON = 0.2  # of all tickets: a word that so many share says nothing
FEW_WORDS = 2  # that must be shared where the place is not
HEAD = 60  # characters
NUMBERED = re.compile(r".+?\d+号")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is remembered of a ticket; at: milliseconds."""

    decision: str
    petition: str
    at: int
    category: str
    unit: str
    head: str
    places: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A ticket that is like another, by these places and words of it."""

    ticket: Ticket
    places: list[str]
    words: list[str]


class Recents:
    """The tickets by what stands in them; safe to ask while it is being renewed."""

    def __init__(self, journal: Journal, now: Callable[[], Any]) -> None:
        self._journal = journal
        self._now = now
        self._lock = threading.Lock()
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()
        self._having: dict[str, set[str]] = {}  # a key of `_keys` → decisions
        self._newest = 0
        self._read_at = -EVERY
        self._reader = Single(self.read, "recent")

    def __len__(self) -> int:
        return len(self._tickets)

    def renew(self) -> None:
        """Have what is new read, by and by, unless that was just done."""
        if time.monotonic() - self._read_at >= EVERY and not self._reader.busy:
            self._read_at = time.monotonic()
            self._reader.start().add_done_callback(_heard)

    def read(self) -> None:
        """Read what is new; raises `StoreDown`."""
        oldest = millis(self._now()) - DAYS * DAY
        found = self._journal.read(lambda store: _ids(store, max(oldest, self._newest - OVERLAP)))
        new = [decision for decision in reversed(found) if decision not in self._tickets]
        for start in range(0, len(new), PORTION):
            tickets = self._journal.read(partial(_tickets, new[start : start + PORTION]))
            with self._lock:
                for ticket in tickets:
                    self._add(ticket)
        with self._lock:
            while self._tickets and (len(self._tickets) > MOST or self._first.at < oldest):
                self._forget()

    def like(self, places: Sequence[str], words: Sequence[str], but: str = "") -> list[Like]:
        """The tickets most like one with these places and words, but for a number; the newest first among equals."""
        with self._lock:
            scores: dict[str, float] = {}
            for key, worth in self._worth(places, words):
                for decision in self._having[key]:
                    scores[decision] = scores.get(decision, 0.0) + worth
            ranked = heapq.nlargest(4 * SHOWN, scores.items(), key=lambda item: (item[1], item[0]))
            found = (_like(self._tickets[decision], places, words) for decision, _ in ranked)
            near = [one for one in found if one.places or len(one.words) >= FEW_WORDS]
        return _one_each(one for one in near if not but or one.ticket.petition != but)

    def _worth(self, places: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, float]]:
        """What a ticket gets for each key that it shares: a rare word counts more (inverse document frequency)."""
        for key, worth in {**{_number(place): SAME_NUMBER for place in places},
                           **{_place(place): SAME_PLACE for place in places}}.items():  # fmt: skip
            if key in self._having:
                yield key, worth
        size = len(self._tickets)
        for word in set(words):
            share = len(self._having.get(_word(word), ()))
            if share and (share <= SHOWN or share <= COMMON * size):
                yield _word(word), log(1 + size / share)

    @property
    def _first(self) -> Ticket:
        return next(iter(self._tickets.values()))

    def _add(self, ticket: Ticket) -> None:
        self._tickets[ticket.decision] = ticket
        self._newest = max(self._newest, ticket.at)
        for key in _keys(ticket):
            self._having.setdefault(key, set()).add(ticket.decision)

    def _forget(self) -> None:
        _, ticket = self._tickets.popitem(last=False)
        for key in _keys(ticket):
            self._having[key].discard(ticket.decision)
            if not self._having[key]:
                del self._having[key]


def _heard(done: Any) -> None:
    """A store that is away is told of elsewhere; what was read before is good enough meanwhile."""
    error = done.exception()
    if error is not None and not isinstance(error, StoreDown):
        raise error


def _ids(store: Connection, since: int) -> list[str]:
    query = select(decisions.c.id).where(decisions.c.at >= since).order_by(decisions.c.at.desc(), decisions.c.id.desc())
    return list(store.scalars(query.limit(MOST)))


def _tickets(wanted: Sequence[str], store: Connection) -> list[Ticket]:
    columns = decisions.c.id, decisions.c.petition, decisions.c.at, decisions.c.unit, decisions.c.content
    rows = store.execute(select(*columns).where(decisions.c.id.in_(wanted)).order_by(decisions.c.id))
    return [_ticket(row) for row in rows.mappings()]


def _ticket(row: RowMapping) -> Ticket:
    decided = opened(row["content"])
    whole = " ".join(filter(None, (decided["masked_title"], decided["masked_text"])))
    return Ticket(
        row["id"], row["petition"], row["at"], decided["category"]["name"], row["unit"], " ".join(whole.split())[:HEAD],
        tuple({place["text"]: None for place in decided["places"]}),
        tuple(word["text"] for word in decided["evidence"] if word["task"] == "category"),
    )  # fmt: skip


def _like(ticket: Ticket, places: Sequence[str], words: Sequence[str]) -> Like:
    wanted = {key for place in places for key in (_place(place), _number(place))}
    shared = [place for place in ticket.places if not wanted.isdisjoint((_place(place), _number(place)))]
    return Like(ticket, shared, [word for word in ticket.words if word in words])


def _one_each(found: Iterable[Like]) -> list[Like]:
    """The first few, of the decisions on one ticket the first alone."""
    one: dict[str, Like] = {}
    for like in found:
        one.setdefault(like.ticket.petition, like)
    return list(one.values())[:SHOWN]


def _keys(ticket: Ticket) -> set[str]:
    places = {key for place in ticket.places for key in (_place(place), _number(place))}
    return places | {_word(word) for word in ticket.words}


def _place(place: str) -> str:
    """What a place is found by: its name, however wide its digits are."""
    return "@" + "".join(unicodedata.normalize("NFKC", place).split())


def _number(place: str) -> str:
    """The house that a place lies in, like 航天路12号 of 航天路12号3栋2单元; else the place."""
    whole = _place(place)
    found = NUMBERED.match(whole)
    return found.group() if found else whole


def _word(word: str) -> str:
    return "=" + word
