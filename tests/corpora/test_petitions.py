"""The project's own petitions: valid, labelled, and not written with a stencil."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from corpora.petitions import Row, build, corpus_hash, read_rows, topics
from nlp.errors import InputError
from nlp.taxonomy import TASKS, Taxonomy

ROW = {"id": "x-1", "title": "", "text": "路灯不亮", "category": "leak", "tier": "community", "clock": "general",
       "type": "help"}  # fmt: skip


def test_every_row_has_labels_of_the_taxonomy_and_something_to_read(corpus: list[Row], taxonomy: Taxonomy) -> None:
    known = {task: set(taxonomy.codes(task)) for task in TASKS}
    wrong = [row.id for row in corpus if any(getattr(row, task) not in known[task] for task in TASKS)]
    assert wrong == []
    assert [row.id for row in corpus if not row.text.strip() or not row.id.strip()] == []


@pytest.mark.parametrize("task", TASKS)
def test_every_label_has_rows(corpus: list[Row], taxonomy: Taxonomy, task: str) -> None:
    counts = Counter(getattr(row, task) for row in corpus)
    assert [code for code in taxonomy.codes(task) if counts[code] < 20] == []


def test_every_topic_has_a_category_of_the_taxonomy(taxonomy: Taxonomy) -> None:
    assert len(topics()) == 517
    assert set(topics().values()) <= set(taxonomy.codes("category"))


def test_training_learns_from_texts_and_labels_alone(corpus: list[Row]) -> None:
    built = list(build(corpus[:3]))
    assert [row["id"] for row in built] == [row.id for row in corpus[:3]]
    assert all(set(row) == {"id", "title", "text", *TASKS} for row in built)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Expecting"),
        ("[]", ""),
        (json.dumps({**ROW, "colour": "red"}), "colour"),
        (json.dumps({key: value for key, value in ROW.items() if key != "tier"}), "tier"),
        (json.dumps({**ROW, "category": "dragons"}), "dragons"),
        (json.dumps({**ROW, "clock": ["general"]}), "clock"),
        ("", ""),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    good = json.dumps({**ROW, "category": "leak"})
    (tmp_path / "a.jsonl").write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(InputError, match="第 2 行") as error:
        read_rows(tmp_path)
    assert str(tmp_path / "a.jsonl") in str(error.value)
    assert reason in str(error.value)


def test_rows_come_by_file_name_and_line(tmp_path: Path) -> None:
    for name in "ba":
        rows = [{**ROW, "category": "leak", "id": f"{name}{number}"} for number in (2, 1)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a row", encoding="utf-8")
    assert [row.id for row in read_rows(tmp_path)] == ["a2", "a1", "b2", "b1"]


def test_the_hash_knows_every_byte_and_every_name(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    first = corpus_hash(tmp_path)
    assert corpus_hash(tmp_path) == first
    (tmp_path / "a.jsonl").write_bytes(b"{} ")
    second = corpus_hash(tmp_path)
    (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    assert len({first, second, corpus_hash(tmp_path)}) == 3
