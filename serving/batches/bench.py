"""The bench: what a worker needs at hand for a batch — its model, its rules, its rows — kept while it goes on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import orjson

from corpora.rows.row import Row, Source
from nlp.decider import Decider
from nlp.errors import InputError, RefusedModel
from nlp.former import Former
from nlp.model import Model, load, read_manifest
from nlp.route.rulebase import Rulebase
from nlp.taxonomy import Taxonomy
from serving.backlog import former
from serving.backlog.asked import Asked as Typed
from serving.backlog.begin import CHUNK, model_folder
from serving.backlog.deciding import Deciding
from serving.backlog.plan import Plan
from serving.backlog.sinks.open import open_sink
from serving.backlog.work import Work
from serving.batches.folder import Folder, written
from serving.batches.task import Task
from serving.settings import Settings

AT_HAND = 4  # batches between which a worker goes to and fro
MODELS = 2
T = TypeVar("T")


@dataclass(frozen=True)
class Settled:
    """What was settled for a batch before its first row. model: where its files stood then."""

    plan: Plan
    model: Path

    def save(self, folder: Folder) -> None:
        """Write it into the batch's folder."""
        held = {"plan": self.plan.as_dict(), "model": str(self.model)}
        written(folder.plan, orjson.dumps(held, option=orjson.OPT_SORT_KEYS))

    @classmethod
    def read(cls, folder: Folder) -> Settled:
        """What `save` wrote."""
        held = orjson.loads(folder.plan.read_bytes())
        return cls(Plan.from_dict(held["plan"]), Path(held["model"]))


class Reading:
    """The rows of a source chunk by chunk; forward is quick, for an earlier chunk it begins anew."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._rows: Iterator[Row] = iter(())
        self._next = 0  # the chunk that comes next, from 1; 0: not begun

    def chunk(self, number: int, check: Callable[[], None]) -> Sequence[Row]:
        """The rows of a chunk, counted from 1; check: called between two chunks that are passed over."""
        if not 0 < self._next <= number:
            self._rows, self._next = self._source.rows(), 1
        while self._next < number:
            check()
            self._taken()
        return self._taken()

    def _taken(self) -> list[Row]:
        self._next += 1
        return list(islice(self._rows, self._size))


@dataclass(frozen=True)
class Place:
    """What is at hand for one batch."""

    plan: Plan
    taxonomy: Taxonomy
    former: Former | None
    work: Work
    reading: Reading


class Bench:
    """Opens what is needed once, lets go of what was not needed for longest. chunk: rows of a job, in new batches."""

    def __init__(self, settings: Settings, chunk: int = CHUNK) -> None:
        self.settings = settings
        self.chunk = chunk
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._places: OrderedDict[str, Place] = OrderedDict()

    def place(self, task: Task) -> Place:
        """What a batch needs; raises `JiesuError` where its model is gone."""
        return _kept(self._places, task.batch.id, lambda: self._place(task), AT_HAND)

    def newest(self) -> Path:
        """The folder of the model in use, which is fitted first where there is none; raises `JiesuError`."""
        return model_folder(self.settings, None)

    def decider(self, model: Path, folder: Folder) -> Decider:
        """A decider with a model and the rules that the batch keeps; raises `JiesuError`."""
        loaded = _kept(self._models, f"{model}\n{_sealed(model)}", lambda: load(model), MODELS)
        return Decider(loaded, rules=Rulebase.read(loaded.taxonomy, rules_of(folder)))

    def typed(self, task: Task) -> Typed:
        """The batch as `jiesu batch` would be told to do it."""
        asked = task.batch.asked
        options = asked.options
        return Typed(
            source=str(task.folder.upload(asked.suffix)), out=str(task.folder.result(asked.format.suffix)),
            columns=options.columns, in_encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet,
            escape=options.escape_formulas,
        )  # fmt: skip

    def source(self, task: Task) -> Source:
        """The upload as rows; raises `InputError`."""
        return self.typed(task).opened()

    def _place(self, task: Task) -> Place:
        settled = Settled.read(task.folder)
        plan = settled.plan
        decider = self.decider(self._model(settled), task.folder)
        known = former.opened(task.folder.former) if plan.former else None
        work = Work(Deciding(plan, decider, known), open_sink(plan), dry=task.batch.asked.options.dry_run)
        return Place(plan, decider.model.taxonomy, known, work, Reading(self.source(task), plan.chunk))

    def _model(self, settled: Settled) -> Path:
        """Where the model stands that a batch began with: on another machine the folder may be another one."""
        if _sealed(settled.model) == settled.plan.model_digest:
            return settled.model
        newest = self.newest()
        if _sealed(newest) == settled.plan.model_digest:
            return newest
        raise InputError(place=f"模型 {settled.plan.model}", reason="已经不在了，这一批是用它开始的；请重新上传")


def _sealed(model: Path) -> str:
    """The seal of a model; empty where there is none that can be read."""
    try:
        return str(read_manifest(model).get("seal", ""))
    except RefusedModel:
        return ""


def rules_of(folder: Folder) -> Path | None:
    """The rules that a batch keeps; none where the office has none of its own."""
    return folder.rules if folder.rules.is_dir() else None


def _kept(held: OrderedDict[str, T], name: str, make: Callable[[], T], most: int) -> T:
    """What is held under a name, made where it is not; the least used goes."""
    found = held.pop(name, None)
    held[name] = make() if found is None else found
    while len(held) > most:
        held.popitem(last=False)
    return held[name]
