"""The raw readings: what the data card tells of them, and that every row bears what they come to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from corpora.petitions import HERE, Row
from corpora.readings import DROPPED, agreement, differing, read_readings, settled, unsettled
from nlp.errors import InputError
from nlp.taxonomy import TASKS

CARD = (HERE / "README.md").read_text(encoding="utf-8")
LABELS = {"category": "leak", "tier": "community", "clock": "general", "type": "help"}


def line(reading: int, **labels: str) -> str:
    return json.dumps({"id": "a-1", "reading": reading, **LABELS, **labels})


@pytest.mark.parametrize("task", TASKS)
def test_the_card_tells_the_agreement(task: str) -> None:
    count, alike, kappa = agreement(read_readings(), task)
    told = re.search(rf"\| {task} \| (0\.\d+) \| (0\.\d+) \|", CARD)
    assert told is not None
    assert (round(alike, 3), round(kappa, 3)) == (float(told[1]), float(told[2]))
    assert f"{count:,} rows read twice" in CARD


@pytest.mark.parametrize("task", TASKS)
def test_kappa_is_that_of_scikit_learn(task: str) -> None:
    readings = read_readings()
    pairs = [(own[1][task], own[2][task]) for own in readings.values() if {1, 2} <= set(own)]
    assert agreement(readings, task)[2] == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_every_row_bears_what_its_readings_come_to(corpus: list[Row]) -> None:
    assert unsettled(corpus, read_readings()) == []


def test_a_third_reading_settles_all_that_differs_and_nothing_else(corpus: list[Row]) -> None:
    kept = {row.id for row in corpus}
    for number, own in read_readings().items():
        assert {1, 2} <= set(own)
        assert set(own.get(3, {})) <= set(differing(own))
        assert number not in kept or set(own.get(3, {})) == set(differing(own))


def test_what_differs_is_settled_by_the_third_reading() -> None:
    one, other = LABELS, LABELS | {"tier": "street", "type": "complaint"}
    assert differing({1: one, 2: other}) == ["tier", "type"]
    assert settled({1: one, 2: other, 3: {"tier": "street", "type": "help"}}) == LABELS | {"tier": "street"}
    assert settled({1: one, 2: other, 3: {"tier": "street"}})["type"] == DROPPED
    assert settled({1: one, 2: one}) == LABELS


def test_nothing_read_is_full_agreement() -> None:
    assert agreement({}, "tier") == (0, 1.0, 1.0)
    assert agreement({"a": {1: LABELS, 2: LABELS}}, "tier") == (1, 1.0, 1.0)


@pytest.mark.parametrize(
    "wrong", ["{", "[]", "{}", json.dumps({"id": "a-2"}), json.dumps({"id": "a-2", "reading": "x"})]
)
def test_a_wrong_line_is_named(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(f"{line(1)}\n{wrong}\n", encoding="utf-8")
    with pytest.raises(InputError, match="第 2 行"):
        read_readings(tmp_path)


def test_a_reading_written_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(f"{line(1)}\n{line(2)}\n{line(1)}\n", encoding="utf-8")
    with pytest.raises(InputError, match="a-1 的第 1 次"):
        read_readings(tmp_path)
