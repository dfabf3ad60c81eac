"""Workers: what decides chunks, opened from files by each process for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.rows.row import Row
from nlp.decider import Decider
from nlp.errors import RefusedModel
from nlp.former import Former
from nlp.model import MANIFEST, load, read_manifest
from nlp.route.rulebase import Rulebase
from serving.backlog.deciding import Deciding
from serving.backlog.plan import Plan
from serving.backlog.sinks.open import open_sink
from serving.backlog.work import Work
from serving.memory import settle

Chunk = tuple[int, Sequence[Row]]


@dataclass(frozen=True)
class Bench:
    """What a worker needs.

    told: what JSON holds of the run: `plan`, `dry`, `former` where old labels are weighed. model, rules: where their
    files stand.
    """

    told: Mapping[str, Any]
    model: Path
    rules: Path | None = None

    def opened(self) -> Work:
        """What decides chunks, ready in this process; raises `JiesuError`."""
        return open_worker(self.told, self.model, self.rules)


def open_worker(told: Mapping[str, Any], model: Path, rules: Path | None) -> Work:
    """What decides chunks, with a model and rules from files; raises `JiesuError` where they are not the plan's."""
    plan = Plan.from_dict(told["plan"])
    if read_manifest(model).get("seal") != plan.model_digest:
        raise RefusedModel(folder=model, reason=f"{MANIFEST} 与这次运行开始时不同")
    decider = decider_at(model, rules)
    settle()
    former = Former.from_dict(told["former"]) if told.get("former") else None
    dry = bool(told.get("dry"))
    return Work(Deciding(plan, decider, former), None if dry else open_sink(plan), dry=dry)


def decider_at(model: Path, rules: Path | None) -> Decider:
    """A decider with the model and the rules of these folders."""
    loaded = load(model)
    return Decider(loaded, rules=Rulebase.read(loaded.taxonomy, rules))


def decided_here(bench: Bench, chunks: Iterable[Chunk]) -> Iterator[tuple[int, bytes]]:
    """Each chunk's answer, made in this process."""
    work = bench.opened()
    for number, rows in chunks:
        yield number, work(number, rows)
