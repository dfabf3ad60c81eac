"""The first step: the upload is read once, its columns are chosen, and all that settles the run is fixed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from corpora.rows.row import Source
from nlp.decider import Decider
from nlp.errors import InputError
from serving.backlog import begin, former
from serving.backlog.begin import Means
from serving.backlog.plan import Plan
from serving.batches import queue
from serving.batches.bench import Bench, Settled, rules_of
from serving.batches.task import Task
from serving.journal.journal import Write
from serving.schema import Accuracy
from serving.times import millis

STEP = 1000  # rows between two looks whether to go on


def prepare(bench: Bench, task: Task) -> Write[None]:
    """Fix the plan of a batch; what is to be noted of it. Raises `InputError` for a file that cannot be decided."""
    office = bench.settings.rules
    if office is not None and rules_of(task.folder) is None:
        draft = task.folder.rules.with_name("rules.draft")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(office, draft).rename(task.folder.rules)
    source = bench.source(task)
    rows = counted(source, task.check)
    if not rows:
        raise InputError(place=task.batch.name, reason="没有数据行")
    model = bench.newest()
    decider = bench.decider(model, task.folder)
    decider.router.check(task.batch.asked.profile)
    plan = planned(bench, task, source, model, decider)
    if task.folder.upload(task.batch.asked.suffix).stat().st_size != task.batch.asked.size:
        raise InputError(place=task.batch.name, reason="存下的文件与收到的不同")
    Settled(_weighed(task, source, plan, decider), model).save(task.folder)
    chunks = -(-rows // plan.chunk)
    now = millis(bench.settings.now())
    return lambda unit: queue.prepared(unit, task.claimed, chunks, plan.model, now)


def counted(source: Source, check: Callable[[], None]) -> int:
    """How many records a source has, those that cannot be read too."""
    count = 0
    for count, _ in enumerate(source.rows(), 1):
        if count % STEP == 0:
            check()
    return count


def planned(bench: Bench, task: Task, source: Source, model: Path, decider: Decider) -> Plan:
    """The plan, but for what the old labels say; raises `InputError` where no column holds texts."""
    asked, typed = task.batch.asked, bench.typed(task)
    high = asked.options.accuracy is Accuracy.high and decider.model.encoder is not None
    settings = bench.settings.model_copy(update={"profile": asked.profile, "rules": rules_of(task.folder)})
    roles = typed.chosen(source).roles
    means = Means(settings, model, roles, high, bench.chunk, reading=typed.reading, writing=typed.writing(source))
    return replace(begin.planned(source, means, asked.now.isoformat(timespec="seconds")), source=task.batch.name)


def _weighed(task: Task, source: Source, plan: Plan, decider: Decider) -> Plan:
    """The plan with what was learned of the old labels, which is kept beside it."""
    learned = former.learned(source, plan, decider, lambda _rows: task.check())
    if learned is None:
        return plan
    former.save(learned, task.folder.former)
    return replace(plan, former=learned.digest)
