"""Tidying: what nobody is to have any more is removed, and the figures of the queue are put up to be read."""

from __future__ import annotations

from ulid_transform import ulid_at_time

from serving.batches import queue
from serving.batches.folder import GONE, Folder, folders, root_of
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.settings import Settings
from serving.times import millis

DAY = 86_400_000  # milliseconds


def tidy(journal: Journal, settings: Settings, metrics: Metrics) -> str:
    """Remove the files of what has been over for long, and those that no batch has; how many folders went."""
    now, root = millis(settings.now()), root_of(settings)
    late = journal.read(lambda store: queue.over(store, now - settings.keep_batch_days * DAY))
    for batch in late:
        Folder(root, batch).remove()
    journal.write_now(lambda unit: queue.removed(unit, late, now))
    left = stray(journal, settings, now)
    journal.write_now(lambda unit: queue.forget(unit, now - settings.keep_days * DAY))
    metrics.batches(*journal.read(queue.figures))
    return f"{len(late) + left}"


def stray(journal: Journal, settings: Settings, now: int) -> int:
    """Remove folders that are no batch's: those of uploads that were broken off a day ago, and of removals."""
    old = ulid_at_time((now - DAY) / 1000)[:10]
    found = list(folders(root_of(settings)))
    broken = {path.name for path in found if path.name[:10] < old and not path.name.startswith(GONE)}
    broken -= journal.read(lambda store: queue.known(store, broken))
    left = [path for path in found if path.name in broken or path.name.startswith(GONE)]
    for path in left:
        Folder(path.parent, path.name).remove()
    return len(left)
