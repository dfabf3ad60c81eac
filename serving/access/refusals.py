"""Refusals: whoever is sent away is counted, and noted in the audit without letting a flood fill it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from ulid_transform import ulid_now

from serving.audit.record import REFUSED, Record
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.store.engine import StoreDown

EVERY = 1.0  # seconds between two records of one address and reason
MOST = 10  # records a second in all
REMEMBERED = 10_000  # addresses with their reasons


class Refusals:
    """Counts every refusal; notes one a second of each address and reason, ten a second in all."""

    def __init__(self, journal: Journal, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._last: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._begun = 0.0
        self._noted = 0

    async def note(self, reason: str, address: str, actor: str, wanted: str) -> None:
        """Note that somebody was refused; actor: the key's id, where it was a good one; wanted: what was asked for."""
        self._metrics.refused(reason)
        if not self._is_due(address, reason):
            return
        record = Record(
            id=ulid_now(), at=int(time.time() * 1000), actor=actor, action="access", object=wanted, outcome=REFUSED,
            rule=reason, detail={"address": address},
        )  # fmt: skip
        with suppress(StoreDown):  # the answer is no, whether it can be noted or not
            await self._journal.write(lambda unit: unit.note(record))

    def _is_due(self, address: str, reason: str) -> bool:
        now = self._clock()
        if now - self._last.get((address, reason), -EVERY) < EVERY:
            return False
        if now - self._begun >= EVERY:
            self._begun, self._noted = now, 0
        if self._noted >= MOST:
            return False
        self._noted += 1
        self._last[address, reason] = now
        self._last.move_to_end((address, reason))
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return True
