"""The step for a chunk: its rows are decided and written to a file of its own; twice gives the same bytes."""

from __future__ import annotations

from serving.backlog.work import Done
from serving.batches import queue
from serving.batches.batch import COUNTS
from serving.batches.bench import Bench
from serving.batches.folder import written
from serving.batches.task import Task
from serving.journal.journal import Write
from serving.times import millis


def decide(bench: Bench, task: Task) -> Write[None]:
    """Decide a chunk; what is to be noted of it. Raises `JiesuError` where the result could not hold it."""
    place, number = bench.place(task), task.claimed.number
    rows = place.reading.chunk(number, task.check)
    packed = place.work(number, rows)
    task.check()
    written(task.folder.chunk(number), packed)
    tally = Done.unpacked(packed).tally
    counts = {name: getattr(tally, name) for name in COUNTS}
    now = millis(bench.settings.now())
    return lambda unit: queue.decided(unit, task.claimed, counts, now)
