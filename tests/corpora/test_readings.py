"""The agreement of the two readings, recomputed from the raw ones, is what the data card says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

import corpora
from nlp.taxonomy import TASKS

HOME = Path(corpora.__file__).parent
CARD = (HOME / "README.md").read_text(encoding="utf-8")


def readings() -> dict[str, dict[int, dict[str, str]]]:
    """Row → number of the reading → its labels."""
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for line in (HOME / "readings" / "readings.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows.setdefault(row["id"], {})[row["reading"]] = row
    return rows


@pytest.mark.parametrize("task", TASKS)
def test_the_card_tells_the_agreement(task: str) -> None:
    both = [(row[1][task], row[2][task]) for row in readings().values() if len(row) == 2]
    agreed = sum(first == second for first, second in both) / len(both)
    kappa = cohen_kappa_score(*zip(*both, strict=True))
    told = re.search(rf"\| {task} \| (0\.\d+) \| (0\.\d+) \|", CARD)
    assert told is not None
    assert (round(agreed, 3), round(kappa, 3)) == (float(told[1]), float(told[2]))


def test_nearly_every_row_was_read_twice() -> None:
    rows = readings()
    assert sum(len(row) == 2 for row in rows.values()) / len(rows) >= 0.9


def test_a_row_bears_the_labels_of_its_last_reading() -> None:
    rows = readings()
    for path in (HOME / "petitions").glob("w*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            last = rows[row["id"]][max(rows[row["id"]])]
            assert {task: row[task] for task in TASKS} == {task: last[task] for task in TASKS}
