"""Split: rows to learn from and rows to be judged on, no group on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, TASKS
from training.dataset import Dataset

TIMED = 0.8  # of the rows that have a time, for a split by time
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of a data set, each side in order.

    by: `time` (the latest are held out), a task (by chance, in the proportions of its labels).
    """

    training: list[int]
    held: list[int]
    by: str

    @property
    def told(self) -> str:
        """How it was split, for the report."""
        way = "按时间，留出最晚的" if self.by == "time" else f"随机，按{TASK_NAMES[self.by]}分层"
        return f"{way}；同组的不分开；训练 {len(self.training)} 条，留出 {len(self.held)} 条"


def split(dataset: Dataset, share: float, seed: int) -> Split:
    """Hold out about `share` of the rows: the latest groups where times are known, else some of every label.

    Whole groups only; each label keeps one to learn from.
    scikit-learn's StratifiedGroupKFold knows no shares but 1/n, and takes one group after the other through all folds.
    Raises `InputError` when nothing can be held out.
    """
    if not 0 < share < 1:
        raise InputError(place=dataset.name, reason=f"留出的比例 {share} 不在 0 与 1 之间")
    numbers = np.unique(dataset.group_numbers, return_inverse=True)[1]
    wanted = share * len(dataset)
    timed = sum(time is not None for time in dataset.times) >= TIMED * len(dataset) and bool(dataset.times)
    by = "time" if timed else next(task for task in TASKS if task in dataset.labels)
    held = _latest(dataset, numbers, wanted) if timed else _drawn(dataset.labels[by], numbers, share, seed)
    for codes in dataset.labels.values():
        _give_back(held, codes, numbers)
    rows = held[numbers]
    if not rows.any():
        reason = f"{len(dataset)} 条、{len(held)} 组，留不出测试数据：组太少，或每种标签只有一组"
        raise InputError(place=dataset.name, reason=reason)
    return Split(np.flatnonzero(~rows).tolist(), np.flatnonzero(rows).tolist(), by)


def _latest(dataset: Dataset, numbers: Numbers, wanted: float) -> Mask:
    """(groups,) the latest groups, by the latest of their rows, passing over one that is larger than what is wanted."""
    sizes = np.bincount(numbers)
    times = np.full(len(sizes), -np.inf)
    np.maximum.at(times, numbers, [-np.inf if time is None else time.timestamp() for time in dataset.times])
    order = [group for group in np.argsort(-times, kind="stable").tolist() if np.isfinite(times[group])]
    held, left = np.zeros(len(sizes), np.bool_), max(1.0, wanted)
    for group in order:
        if sizes[group] <= left:
            held[group] = True
            left -= sizes[group]
    if not held.any():  # every group is larger than the share: the latest that leaves as much to learn from
        held[[group for group in order if 2 * sizes[group] <= len(dataset)][:1]] = True
    return held


def _drawn(labels: Sequence[str], numbers: Numbers, share: float, seed: int) -> Mask:
    """(groups,) by chance, label after label, the largest groups of each first so that the small even it out."""
    sizes = np.bincount(numbers)
    strata = _strata(labels, numbers)
    chance = np.random.default_rng(seed).random(len(sizes) + 1)
    held, due = np.zeros(len(sizes), np.bool_), chance[-1]
    for group in np.lexsort((chance[:-1], -sizes, strata)).tolist():
        due += share * sizes[group]
        if due >= sizes[group]:
            held[group] = True
            due -= sizes[group]
    return held


def _strata(labels: Sequence[str], numbers: Numbers) -> Numbers:
    """(groups,) the number of the most frequent label of each group."""
    codes = np.unique(labels, return_inverse=True)[1]
    pairs, counts = np.unique(np.stack([numbers, codes], axis=1), axis=0, return_counts=True)
    strata = np.zeros(numbers.max() + 1, np.int64)
    rising = np.argsort(counts, kind="stable")
    strata[pairs[rising, 0]] = pairs[rising, 1]  # of several, the last assignment holds: the most frequent
    return strata


def _give_back(held: Mask, labels: Sequence[str], numbers: Numbers) -> None:
    """Back to training, in place, goes the smallest group of every label that would be held out entirely."""
    sizes = np.bincount(numbers)
    learned = {label for label, group in zip(labels, numbers, strict=True) if not held[group]}
    for label in sorted(set(labels) - learned - {""}):
        groups = _groups_of(label, labels, numbers)
        if held[groups].all():
            held[min(groups, key=lambda group: (sizes[group], group))] = False


def _groups_of(label: str, labels: Sequence[str], numbers: Numbers) -> list[int]:
    return sorted({int(group) for each, group in zip(labels, numbers, strict=True) if each == label})
