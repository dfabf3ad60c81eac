"""A worker: takes job after job from the queue and does it; as many may run as there are cores, on any machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.audit.record import FAILED, Record
from serving.batches import queue
from serving.batches.bench import Bench
from serving.batches.chunk import decide
from serving.batches.finish import finish
from serving.batches.folder import Folder, root_of
from serving.batches.lease import USUAL, Lease, Pace, Stopped
from serving.batches.prepare import prepare
from serving.batches.queue import Claimed, Lost
from serving.batches.task import Task
from serving.batches.upload import FULL
from serving.events.kinds import BATCH
from serving.events.outbox import Outbox
from serving.journal.journal import Journal, Write
from serving.journal.unit import Unit
from serving.settings import Settings
from serving.store.engine import StoreDown
from serving.times import millis

ATTEMPTS = 3
ACTOR = "batches"
log = logging.getLogger(__name__)
Step = Callable[[Bench, Task], Write[None]]
STEPS: Mapping[str, Step] = {queue.PREPARE: prepare, queue.DECIDE: decide, queue.FINISH: finish}


@dataclass(frozen=True)
class Tools:
    """What a worker works with."""

    settings: Settings
    journal: Journal
    outbox: Outbox
    bench: Bench
    pace: Pace = USUAL

    @property
    def now(self) -> int:
        """The present, in milliseconds since 1970."""
        return millis(self.settings.now())


class Worker:
    """One of them; stop: set by whoever wants it to end, which it does after what it is at, or sooner."""

    def __init__(self, tools: Tools, stop: threading.Event) -> None:
        self.id = ulid_now()
        self._tools = tools
        self._stop = stop

    def run(self) -> None:
        """Work until told to stop."""
        while not self._stop.is_set():
            try:
                if not self.work():
                    self._stop.wait(self._tools.pace.poll)
            except StoreDown as error:
                log.warning("batches_wait", extra={"reason": str(error)})
                self._stop.wait(self._tools.pace.poll)

    def work(self) -> bool:
        """Do one job; false where there is none. Raises `StoreDown`: then the claim runs out by itself."""
        tools, now = self._tools, self._tools.now
        if not tools.journal.read(lambda store: queue.due(store, now)):
            return False
        until = now + round(1000 * tools.pace.lease)
        claimed = tools.journal.write_now(lambda unit: queue.claim(unit, self.id, now, until))
        if claimed is None:
            return False
        batch = tools.journal.read(lambda store: queue.find(store, claimed.batch))
        if batch is None or not batch.live:
            return True
        if claimed.attempts > ATTEMPTS:
            self._fail(claimed, f"有一步试了 {ATTEMPTS} 次都没有做完")
            return True
        with Lease(tools.journal, tools.settings.now, claimed, tools.pace, self._stop) as lease:
            self._try(Task(batch, Folder(root_of(tools.settings), batch.id), claimed, lease.check))
        return True

    def _try(self, task: Task) -> None:
        """Do a job, and write what came of it."""
        claimed = task.claimed
        try:
            write = STEPS[claimed.step](self._tools.bench, task)
            self._tools.journal.write_now(self._noting(task, write))
            if claimed.step == queue.FINISH:
                task.folder.slim()
        except Lost:
            log.info("batch_job_lost", extra={"batch": claimed.batch, "job": claimed.number})
        except Stopped:
            self._release(claimed, 0.0, counts=False)
        except StoreDown:
            raise
        except InputError as error:
            self._fail(claimed, task.told(error))
        except Exception as error:
            self._failing(task, error)

    def _noting(self, task: Task, write: Write[None]) -> Write[None]:
        """The write of a step; the last step of a batch is noted for the audit, and told to those who want to know."""
        if task.claimed.step != queue.FINISH:
            return write
        batch = task.batch
        record = Record(
            id=ulid_now(), at=self._tools.now, actor=ACTOR, action="batch.done", object=batch.id, model=batch.model,
            detail={name: str(count) for name, count in batch.counts.items()},
        )  # fmt: skip
        data = orjson.dumps({"id": batch.id, "state": "done", "rows": dict(batch.counts)})

        def noting(unit: Unit) -> None:
            write(unit)
            unit.note(record)
            self._tools.outbox.put(unit, BATCH, batch.id, data)

        return noting

    def _failing(self, task: Task, error: Exception) -> None:
        """A job that failed is tried again, unless nobody wants it any more or it has failed too often."""
        claimed = task.claimed
        full = isinstance(error, OSError) and error.errno in FULL
        log.error("batch_job_failed", extra={"batch": claimed.batch, "job": claimed.number}, exc_info=error)
        if not task.folder.path.is_dir():
            self._fail(claimed, "它的文件不在了")
        elif claimed.attempts < ATTEMPTS:
            self._release(claimed, self._tools.pace.again * claimed.attempts, counts=True)
        else:
            self._fail(claimed, "服务的磁盘满了" if full else f"服务内部出错（{type(error).__name__}），详情见日志")

    def _release(self, claimed: Claimed, seconds: float, *, counts: bool) -> None:
        at = self._tools.now + round(1000 * seconds)
        with suppress(Lost):
            self._tools.journal.write_now(lambda unit: queue.release(unit, claimed, at, counts=counts))

    def _fail(self, claimed: Claimed, reason: str) -> None:
        """End a batch that cannot be done; one that ended meanwhile, or is another's, stays as it is."""
        now, data = self._tools.now, orjson.dumps({"id": claimed.batch, "state": "failed", "reason": reason})
        record = Record(id=ulid_now(), at=now, actor=ACTOR, action="batch.done", object=claimed.batch, outcome=FAILED)

        def write(unit: Unit) -> None:
            queue.failed(unit, claimed, reason, now)
            unit.note(record)
            self._tools.outbox.put(unit, BATCH, claimed.batch, data)

        with suppress(Lost):
            self._tools.journal.write_now(write)
