"""The raw readings behind the labels: the writer's, a blind second one, and a third where the two differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from corpora.petitions import HERE, Row
from nlp.errors import InputError
from nlp.taxonomy import TASKS

READINGS = HERE / "readings"
DROPPED = "drop"  # in a third reading: the text gives nothing to decide by
Labels = Mapping[str, str]
Readings = dict[str, dict[int, Labels]]
"""Row → number of the reading → its labels; the third holds only the tasks on which the first two differ."""


def read_readings(folder: Path = READINGS) -> Readings:
    """All readings, those of dropped rows included; raises `InputError` naming the line that is wrong."""
    readings: Readings = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                own = readings.setdefault(row["id"], {})
                repeated, which = row["reading"] in own, int(row["reading"])
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(place=f"{path} 第 {number} 行", reason=error) from error
            if repeated:
                raise InputError(place=f"{path} 第 {number} 行", reason=f"{row['id']} 的第 {which} 次阅读写了两遍")
            own[which] = {task: row[task] for task in TASKS if task in row}
    return readings


def agreement(readings: Readings, task: str) -> tuple[int, float, float]:
    """Rows read twice, the share of them labelled alike, and how far that is beyond chance (Cohen's kappa 1960)."""
    pairs = [(own[1][task], own[2][task]) for own in readings.values() if 1 in own and 2 in own]
    if not pairs:
        return 0, 1.0, 1.0
    alike = sum(first == second for first, second in pairs) / len(pairs)
    firsts, seconds = (Counter(labels) for labels in zip(*pairs, strict=True))
    chance = sum(firsts[label] * seconds[label] for label in firsts) / len(pairs) ** 2
    return len(pairs), alike, (alike - chance) / (1 - chance) if chance < 1 else 1.0


def differing(own: Mapping[int, Labels]) -> list[str]:
    """The tasks on which the first two readings of a row differ."""
    return [task for task in TASKS if own[1][task] != own[2][task]]


def settled(own: Mapping[int, Labels]) -> dict[str, str]:
    """The labels that the readings of a row come to: the third's where the first two differ."""
    return {**own[1], **{task: own.get(3, {}).get(task, DROPPED) for task in differing(own)}}


def unsettled(rows: list[Row], readings: Readings) -> list[str]:
    """The rows whose labels are not what their readings come to."""
    return [
        row.id
        for row in rows
        if not {1, 2} <= set(readings.get(row.id, {}))
        or {task: getattr(row, task) for task in TASKS} != settled(readings[row.id])
    ]
