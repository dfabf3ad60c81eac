"""A lease: while a job is worked at, its claim is renewed; whoever works asks now and then if it is still theirs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from nlp.errors import JiesuError
from serving.batches.queue import Claimed, Lost, renew
from serving.journal.journal import Journal
from serving.store.engine import StoreDown
from serving.times import millis

log = logging.getLogger(__name__)


class Stopped(JiesuError):
    """进程要停了，这一块留给下一个"""


@dataclass(frozen=True)
class Pace:
    """How often a worker looks for a job, how long its claim holds, and when a failed job is tried again: seconds."""

    poll: float = 1.0
    lease: float = 60.0
    again: float = 5.0


USUAL = Pace()


class Lease:
    """Renews a claim three times as often as it would run out; use it as a context."""

    def __init__(
        self, journal: Journal, clock: Callable[[], datetime], claimed: Claimed, pace: Pace, stop: threading.Event
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._claimed = claimed
        self._pace = pace
        self._stop = stop
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def check(self) -> None:
        """Raise `Lost` where the job is another's by now, `Stopped` where this process is to end."""
        if self._lost.is_set():
            raise Lost
        if self._stop.is_set():
            raise Stopped

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._pace.lease / 3):
            until = millis(self._clock()) + round(1000 * self._pace.lease)
            try:
                self._journal.write_now(lambda unit: renew(unit, self._claimed, until))  # noqa: B023 - done at once
            except Lost:
                self._lost.set()
                return
            except StoreDown as error:  # the next try may be in time
                log.warning("lease_waits", extra={"batch": self._claimed.batch, "reason": str(error)})
