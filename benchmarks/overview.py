"""The chief's page on a store of a million decisions over a year: `run()`; making the store takes minutes.

It holds what was said of a third of them and the way of nine in ten. A month is asked for, as the page does by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from benchmarks import town
from benchmarks.measure import figure, tell
from benchmarks.petitions import decider, options, own
from serving.access.who import INSECURE
from serving.desk.overview.counts import counted
from serving.desk.overview.tickets import Wanted, listed
from serving.desk.overview.verdicts import heard
from serving.desk.overview.window import Asked, read
from serving.desk.overview.words import rising
from serving.indicators import rates
from serving.journal.decided import Decided
from serving.store.engine import open_engine, reading
from serving.store.schema import migrate
from serving.times import millis

ROWS, ROUNDS = 1_000_000, 3
LIMIT = 1.5  # seconds that the page may take
ZONE = ZoneInfo("Asia/Shanghai")
Part = Callable[[Connection, Asked], object]
PARTS: dict[str, Part] = {
    "figures": lambda connection, asked: (counted(connection, asked), heard(connection, asked)),
    "tickets": lambda connection, asked: listed(connection, Wanted(asked), {}),
    "late_tickets": lambda connection, asked: listed(connection, Wanted(asked, rate="timeliness", held="0"), {}),
    "rates": lambda connection, asked: rates(connection, asked.window, {}, asked.only),
    "words": rising,
}


def run(rows: int = ROWS, store: str = "") -> None:
    """Print how many seconds each part of the page takes, the best of three; store: a filled one to be used."""
    now = datetime.now(ZONE)
    with TemporaryDirectory() as folder:
        url = store or f"sqlite:///{Path(folder) / 'store.db'}"
        engine = open_engine(url)
        migrate(engine)
        if not store:
            asked = own(1024)
            made = Decided.of(decider().decide(asked, options(evidence=True)), asked, INSECURE, b"x" * 32)
            town.fill(engine, town.copied(made.rows, rows, millis(now) - 365 * town.DAY, millis(now)))
        for name, part in PARTS.items():
            taken = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                with reading(engine) as connection:
                    part(connection, read({}, now, ZONE))
                taken.append(time.perf_counter() - begun)
            tell(figure(f"overview.{name}", min(taken), "s", LIMIT if name == "figures" else None))
        engine.dispose()
