"""Labelled petitions from the corpus, and from the tables of an office."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from corpora.petitions import Row, corpus_hash
from nlp.errors import InputError
from nlp.taxonomy import TASKS
from training.sources import from_corpus, from_table


def written(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_the_corpus_is_all_of_its_rows(corpus: list[Row]) -> None:
    dataset = from_corpus()
    assert [petition.id for petition in dataset.petitions] == [row.id for row in corpus]
    assert [petition.text for petition in dataset.petitions] == [row.text for row in corpus]
    assert {task: list(codes) for task, codes in dataset.labels.items()} == {
        task: [getattr(row, task) for row in corpus] for task in TASKS
    }
    assert dataset.hash == corpus_hash()


@pytest.mark.parametrize(
    "head",
    [
        ["title", "text", "category", "tier", "clock", "type"],
        ["标题", "内容", "分类", "层级", "时限", "诉求类型"],
        ["主题", "诉求内容", "label", "层级", "clock", "诉求性质"],
    ],
)
def test_the_usual_names_of_columns_are_known(tmp_path: Path, head: list[str]) -> None:
    path = written(tmp_path / "a.csv", head, ["灯", "路灯不亮", "leak", "grid", " general ", "help"])
    dataset = from_table(path, {})
    assert (dataset.petitions[0].title, dataset.petitions[0].text) == ("灯", "路灯不亮")
    assert dataset.labels == {"category": ["leak"], "tier": ["grid"], "clock": ["general"], "type": ["help"]}
    assert dataset.name == "a.csv"
    assert dataset.hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_named_columns_go_before_the_usual_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["text", "说明", "label", "大类"], ["甲", "乙", "leak", "noise"])
    dataset = from_table(path, {"text": "说明", "category": "大类"})
    assert dataset.petitions[0].text == "乙"
    assert dataset.labels == {"category": ["noise"]}


def test_columns_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    dataset = from_table(written(tmp_path / "a.csv", ["text", "tier"], ["甲", "grid"], ["乙", ""]), {})
    assert dataset.labels == {"tier": ["grid", ""]}
    assert [petition.title for petition in dataset.petitions] == ["", ""]


@pytest.mark.parametrize("role", ["text", "title", *TASKS])
def test_a_named_column_that_is_not_there_is_refused(tmp_path: Path, role: str) -> None:
    path = written(tmp_path / "a.csv", ["text", "label"], ["甲", "leak"])
    with pytest.raises(InputError, match=rf"没有列 部门（指定给 {role}）；有：text、label"):
        from_table(path, {role: "部门"})


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--text.*有：正文本、label"):
        from_table(written(tmp_path / "a.csv", ["正文本", "label"], ["甲", "leak"]), {})


def test_a_table_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--category.*有：text、部门"):
        from_table(written(tmp_path / "a.csv", ["text", "部门"], ["甲", "城管"]), {})
