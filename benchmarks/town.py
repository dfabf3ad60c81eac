"""An invented town: decisions on the project's own petitions over many days, what operators said, what became of them.

`lived` decides every day's petitions with the decider, for a store to look at; `copied` repeats decided rows at other
times, for a store of a size that no decider fills in a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table
from ulid_transform import ulid_at_time

from nlp.decider import Decider, Options
from nlp.petition import Petition
from serving.access.who import INSECURE
from serving.journal.decided import Decided
from serving.store import tables
from serving.store.engine import writing
from serving.times import millis

Row = dict[str, Any]
DAY, HOUR = 86_400_000, 3_600_000  # milliseconds
CHANNELS = ("12345 热线", "网站", "微信小程序", "市长信箱")
STREETS = ("清泉街道", "桐岭街道", "白沙镇", "临江街道", "石桥乡")  # what a gazetteer would say of places
PARTS = (5, 4, 3, 2, 1)  # of the petitions that name one
NEW, NEWS = "停水", 1  # what the last week is full of, and how many times as much as of all else
TOGETHER = 2000  # decisions in one transaction


class Lived(NamedTuple):
    """Rows for three tables."""

    decisions: list[Row]
    feedback: list[Row]
    outcomes: list[Row]


def lived(
    decider: Decider, petitions: Sequence[Petition], now: datetime, days: int, each: int, seed: int = 7
) -> Iterator[tuple[Decided, Lived]]:
    """Every day's decisions, the oldest first, some weeks busier than others; `now` has a zone."""
    news = [petition for petition in petitions if NEW in petition.text]
    random, codes = Random(seed), decider.model.taxonomy.codes("category")  # noqa: S311 - no secret hangs on it
    for back in range(days, -1, -1):
        count = each if back else max(1, each // 2)
        morning = now.replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=back)
        times = [morning + timedelta(seconds=random.randrange(10 * 3600)) for _ in range(count)]
        likely = [*petitions, *(NEWS * len(petitions) // len(news) * news if news and back < 7 else ())]
        asked = [_asked(random.choice(likely), min(at, now), random) for at in times]
        decided = Decided.of(decider.decide(asked, Options(min(max(times), now))), asked, INSECURE, b"x" * 32)
        rows = [_placed(row, random) for row in decided.rows]
        yield decided, lives(rows, millis(now), codes, random)


def copied(
    decided: Sequence[Row], count: int, since: int, until: int, *, told: bool = True, seed: int = 7
) -> Iterator[Lived]:
    """As many rows as are wanted, evenly over a time (milliseconds): those of some decisions, again and again.

    told: with what was said of them and what became of them.
    """
    random = Random(seed)  # noqa: S311
    codes = sorted({row["category"] for row in decided})
    for start in range(0, count, TOGETHER):
        rows = []
        for number in range(start, min(count, start + TOGETHER)):
            at = since + (until - since) * number // count
            row = random.choice(decided)
            due = None if row["due_at"] is None else row["due_at"] - row["at"] + at
            rows.append(_placed(row | {"id": ulid_at_time(at / 1000), "at": at, "due_at": due}, random))
        yield lives(rows, until, codes, random) if told else Lived(rows, [], [])


def lives(rows: list[Row], now: int, codes: Sequence[str], random: Random) -> Lived:
    """The same rows with what was said of them and what became of them until a time."""
    feedback = [said for row in rows if (said := _said(row, now, codes, random))]
    return Lived(rows, feedback, [step for row in rows for step in _steps(row, now, random)])


def fill(engine: Engine, parts: Iterator[Lived]) -> None:
    """Write rows as they are, without an audit."""
    for part in parts:
        with writing(engine) as connection:
            for table, rows in _tables(part):
                if rows:
                    connection.execute(table.insert(), rows)


def _tables(part: Lived) -> Iterator[tuple[Table, list[Row]]]:
    yield tables.decisions, part.decisions
    yield tables.feedback, part.feedback
    yield tables.outcomes, part.outcomes


def _asked(petition: Petition, at: datetime, random: Random) -> Petition:
    return Petition(petition.id, petition.text, petition.title, random.choice(CHANNELS), received_at=at)


def _placed(row: Row, random: Random) -> Row:
    """Two of three are somewhere that the gazetteer knows."""
    return row | {"area": random.choices(STREETS, PARTS)[0] if random.random() < 0.67 else None}


def _said(row: Row, now: int, codes: Sequence[str], random: Random) -> Row | None:
    """What an operator said of a decision; nothing of two in three."""
    at = row["at"] + random.randrange(1, 24) * HOUR
    if random.random() > 0.34 or at > now:
        return None
    verdict = random.choices(("accepted", "corrected", "returned"), (84, 12, 4))[0]
    other = random.choice([code for code in codes if code != row["category"]]) if verdict == "corrected" else None
    return {
        "id": ulid_at_time(at / 1000), "decision": row["id"], "at": at, "verdict": verdict, "category": other,
        "tier": None, "clock": None, "type": None, "reason": "不属于本单位职责" if verdict == "returned" else "",
        "unit": row["unit"], "operator": "坐席", "key": row["key"], "digest": f"{random.getrandbits(256):064x}",
    }  # fmt: skip


def _steps(row: Row, now: int, random: Random) -> Iterator[Row]:
    """The way of a ticket as far as it has come."""
    if random.random() < 0.1:
        return
    at, span = row["at"] + random.randrange(60) * 60_000, (row["due_at"] or row["at"] + 7 * DAY) - row["at"]
    way = [("dispatched", at), ("responded", at + int(random.expovariate(1 / 8) * HOUR))]
    if random.random() < 0.93:
        way.append(("resolved", at + int(span * random.betavariate(2, 3) * 1.5) + HOUR))
        way.append(("closed", way[-1][1] + random.randrange(1, 48) * HOUR))
    for event, when in way:
        if when <= now:
            asked = event == "closed" and random.random() < 0.6
            yield {
                "id": ulid_at_time(when / 1000), "decision": row["id"], "event": event, "unit": row["unit"], "at": when,
                "recorded_at": when, "satisfied": random.random() < 0.86 if asked else None,
                "caller_resolved": random.random() < 0.9 if asked else None, "key": row["key"],
                "digest": f"{random.getrandbits(256):064x}",
            }  # fmt: skip
