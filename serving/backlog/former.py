"""The former labels of a backlog: learned in a first pass over its source, kept as a small JSON file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappush, heapreplace
from pathlib import Path

import numpy as np
import orjson

from corpora.rows.row import Row, Source
from nlp.confusion import learn
from nlp.decider import Decider, portions
from nlp.errors import InputError
from nlp.former import Former
from nlp.heads import Matrix
from nlp.petition import Petition
from serving.backlog.deciding import Deciding
from serving.backlog.label import Labels
from serving.backlog.plan import Plan
from serving.backlog.sample import rank
from serving.draft import drafted

MOST, LEAST = 20_000, 2_000  # rows to learn from
CELLS = 4_000_000  # rows × categories
READ = 2_000  # characters of each of them
STEP = 1_000  # rows between two reports of progress


@dataclass(frozen=True, slots=True)
class Learner:
    """A row to learn from: when it came, its old label, and as much of its text as is read."""

    place: int
    label: str
    petition: Petition


def learned(
    source: Source, plan: Plan, decider: Decider, progress: Callable[[int], None] = lambda _rows: None
) -> Former | None:
    """What the old labels of a source say, or none where it has none that say anything; reads the source once.

    The same source gives the same answer each time: the rows to learn from are drawn by a hash. progress: is told how
    many rows were read since it was last told.
    """
    if not plan.roles.get("category"):
        return None
    width = len(decider.model.taxonomy.categories)
    rows = _drawn(_labelled(source, plan, decider, progress), plan, min(MOST, max(LEAST, CELLS // width)))
    if not rows:
        return None
    return learn(_text(rows, decider, high=plan.high), [row.label for row in rows], decider.model.taxonomy)


def _labelled(
    source: Source, plan: Plan, decider: Decider, progress: Callable[[int], None]
) -> Iterator[tuple[Row, Learner]]:
    """The rows that can be read and have an old label."""
    labels, deciding = Labels(plan), Deciding(plan, decider)
    place = 0
    for place, row in enumerate(source.rows(), 1):
        if place % STEP == 0:
            progress(STEP)
        label = "" if row.reason else labels.old(row)
        if label:
            petition = deciding.petition(row)
            yield row, Learner(place, label, Petition("", petition.text[:READ], petition.title[:READ]))
    progress(place % STEP)


def _drawn(every: Iterator[tuple[Row, Learner]], plan: Plan, most: int) -> list[Learner]:
    """Those with the least hashes, in the order of the source."""
    key = hashlib.sha256(plan.digest.encode()).digest()
    heap: list[tuple[int, int, Learner]] = []  # the greatest hash first, negated
    for row, learner in every:
        candidate = (-int(rank(key, row), 16), learner.place, learner)
        if len(heap) < most:
            heappush(heap, candidate)
        elif candidate > heap[0]:
            heapreplace(heap, candidate)
    return sorted((learner for _, _, learner in heap), key=lambda learner: learner.place)


def _text(rows: list[Learner], decider: Decider, *, high: bool) -> Matrix:
    """(rows, categories) what the text alone says."""
    parts = portions([row.petition for row in rows])
    answers = (decider.answers(decider.reader.read(part), high=high) for part in parts)
    return np.concatenate([answer.marginals["category"] for answer in answers])


def save(former: Former, path: Path) -> None:
    """Write it as JSON, the same bytes each time; raises `InputError` where it cannot be written."""
    with drafted(path) as out:
        out.write(orjson.dumps(former.as_dict(), option=orjson.OPT_SORT_KEYS) + b"\n")


def opened(path: Path) -> Former:
    """What `save` wrote; raises `InputError` for what cannot be read."""
    try:
        return Former.from_dict(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(place=path, reason="不是旧标签对照表，请重新运行") from error
