"""The last step: the chunks are put together, in their order, to what can be fetched."""

from __future__ import annotations

import shutil

from serving.backlog import rejects
from serving.backlog.finish import Order, finished, publish
from serving.backlog.folder import Begun, Folder
from serving.backlog.sinks.open import open_sink
from serving.backlog.spool import BODY, REJECTS, Spool
from serving.backlog.tally import Tally
from serving.backlog.work import Done
from serving.batches import queue
from serving.batches.bench import Bench
from serving.batches.task import Task
from serving.journal.journal import Write
from serving.secret import open_secret
from serving.times import millis

TOGETHER = 64  # chunks whose tallies are added at a time


def finish(bench: Bench, task: Task) -> Write[None]:
    """Make the result, its rejects, its manifest and its report; begun again, it begins from the chunks again."""
    place, folder = bench.place(task), Folder(task.folder.work(task.claimed.attempts))
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.path.mkdir(mode=0o700)
    sink, begun = open_sink(place.plan), Begun(place.plan, task.batch.asked.options.dry_run)
    with Spool(folder.path, {}, {}) as spool:
        spool.add({BODY: b"" if begun.dry else sink.head(), REJECTS: rejects.head()})
        tally = _gathered(task, spool)
    order = Order(
        source=bench.source(task), out=task.folder.result(task.batch.asked.format.suffix),
        secret=open_secret(bench.settings), taxonomy=place.taxonomy, former=place.former,
        report=task.folder.report, quiet=True,
    )  # fmt: skip
    finished(folder, begun, order, sink, tally)
    task.check()
    publish(folder, begun, order)
    now = millis(bench.settings.now())
    return lambda unit: queue.finished(unit, task.claimed, now)


def _gathered(task: Task, spool: Spool) -> Tally:
    """Add what came of every chunk to the spool; all their tallies as one."""
    tally, some = Tally(), list[Tally]()
    for number in range(1, (task.batch.chunks or 0) + 1):
        task.check()
        done = Done.unpacked(task.folder.chunk(number).read_bytes())
        spool.add(done.parts)
        some.append(done.tally)
        if len(some) == TOGETHER:
            tally, some = Tally.total([tally, *some]), []
    return Tally.total([tally, *some])
