"""The journal: a thread that writes what many requests want written, group by group.

A request waits until its group is on disk. While one group is being written the next one gathers, so that the cost of
a commit is shared (group commit; DeWitt et al. 1984, Implementation techniques for main memory database systems).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from select import select
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from serving.audit.chain import Chain
from serving.journal.unit import Unit
from serving.store.engine import AWAY, StoreDown, reading, writing

MOST = 256  # writes in one transaction
WAITING = 4096  # writes that may wait; beyond, a request is sent away
PATIENCE = 8.0  # seconds for which a group is tried again before its requests are told
PAUSE = 0.2  # seconds between two tries
T = TypeVar("T")
Write = Callable[[Unit], T]
log = logging.getLogger(__name__)


class JournalFull(StoreDown):
    """存储跟不上，请稍后再试（{reason}）"""


@dataclass(frozen=True)
class _Waiting:
    write: Write[Any]
    done: Future[Any]


class Journal:
    """The only way in which the service writes.

    A write gets a `Unit`, may be run more than once (a group whose transaction failed is tried again, so what it
    writes must carry ids that were made before), and ends with the transaction committed. A write that raises an error
    of its own takes nothing else of its group with it.
    """

    def __init__(self, engine: Engine, chain: Chain, patience: float = PATIENCE) -> None:
        self.engine = engine
        self.chain = chain
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def write(self, write: Write[T]) -> T:
        """Have something written; back when it is on disk. Raises `StoreDown`, or what the write raised.

        The thread is called in the loop's next turn: the decisions of one batch become one group, not a group for the
        first of them and another for the rest.
        """
        done = self._put(write)
        asyncio.get_running_loop().call_soon(self._call)
        return await asyncio.wrap_future(done)

    def write_now(self, write: Write[T]) -> T:
        """The same for a caller who has no event loop."""
        done = self._put(write)
        self._call()
        return done.result()

    def read(self, read: Callable[[Connection], T]) -> T:
        """What a reader finds; raises `StoreDown`."""
        with reading(self.engine) as connection:
            return read(connection)

    @property
    def depth(self) -> int:
        """How many writes wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self.engine.dispose()

    def _call(self) -> None:
        with self._wake:
            self._wake.notify()

    def _put(self, write: Write[T]) -> Future[T]:
        done: Future[T] = Future()
        with self._wake:
            if self._closed or len(self._waiting) >= WAITING:
                raise JournalFull(reason="正在关闭" if self._closed else f"{WAITING} 笔在等")
            self._waiting.append(_Waiting(write, done))
        return done

    def _run(self) -> None:
        while group := self._next():
            try:
                self._write(group)
            except Exception as error:  # whatever it is, the next group shall be written
                log.exception("journal_failed", extra={"writes": len(group)})
                for one in group:
                    if not one.done.done():
                        one.done.set_exception(error)

    def _next(self) -> list[_Waiting]:
        """The next group; empty when the journal is closed and nothing waits."""
        with self._wake:
            while not self._waiting and not self._closed:
                self._wake.wait()
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]

    def _write(self, group: list[_Waiting]) -> None:
        """Write a group, trying again while the database is away; then tell everybody."""
        group = [one for one in group if one.done.set_running_or_notify_cancel()]
        until = time.monotonic() + self._patience
        while True:
            try:
                answers = self._transaction(group)
                break
            except StoreDown as error:
                log.warning("store_down", extra={"reason": str(error), "writes": len(group)})
                if time.monotonic() > until:
                    answers = [error] * len(group)
                    break
                select([], [], [], PAUSE)  # a span, where `time.sleep` waits until a time: clocks may jump
            except Exception as error:  # one of them is to blame: the others are written without it
                if len(group) > 1:
                    for one in group:
                        self._write_alone(one)
                    return
                answers = [error]
                break
        for one, answer in zip(group, answers, strict=True):
            _tell(one.done, answer)

    def _write_alone(self, one: _Waiting) -> None:
        try:
            _tell(one.done, self._transaction([one])[0])
        except Exception as error:
            _tell(one.done, error)

    def _transaction(self, group: list[_Waiting]) -> list[Any]:
        """What each write answered, or raised; all of it is committed on return.

        Few writes raise anything, so the first try does without a savepoint for each.
        """
        try:
            return self._tried(group, _plain)
        except (StoreDown, *AWAY):
            raise
        except Exception:
            return self._tried(group, _attempt)

    def _tried(self, group: list[_Waiting], way: Callable[[Write[Any], Unit], Any]) -> list[Any]:
        with writing(self.engine) as connection:
            unit = Unit(connection, self.chain)
            answers = [way(one.write, unit) for one in group]
            unit.close()
        return answers


def _plain(write: Write[Any], unit: Unit) -> Any:
    return write(unit)


def _attempt(write: Write[Any], unit: Unit) -> Any:
    """What a write answers, or its own error, without anything of what it wrote."""
    place = unit.place
    savepoint = unit.connection.begin_nested()
    try:
        answer = write(unit)
    except (StoreDown, *AWAY):
        raise
    except Exception as error:
        savepoint.rollback()
        unit.back(place)
        return error
    savepoint.commit()
    return answer


def _tell(done: Future[Any], answer: Any) -> None:
    if isinstance(answer, BaseException):
        done.set_exception(answer)
    else:
        done.set_result(answer)
