"""A first model of names, meanings and a few examples: it answers, and asks a human every time."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from xlsxwriter import Workbook

import training.coldstart
from corpora.petitions import Row
from nlp.decider import Decider
from nlp.errors import InputError, RefusedData
from nlp.model import Model
from nlp.reader import Reader
from nlp.taxonomy import TASKS, Taxonomy
from training.coldstart import COLD, MOST, Entry, from_taxonomy, read_entries
from training.dataset import Dataset
from training.fitting import UNSURE

HEAD = ["类别名称", "含义", "示例一", "示例二"]
ROWS = [
    ["灯光组", "路灯、灯杆、照明设施损坏，路灯不亮", "路灯坏了一片漆黑", "灯杆被撞歪了"],
    ["噪声组", "施工、商铺、广场舞的噪声扰民", "工地半夜施工吵得睡不着", ""],
    ["用水组", "自来水停水、水管爆裂、水质、漏水", "", ""],
    ["清运组", "垃圾没有清运，乱倒垃圾", "垃圾桶满了没人倒", ""],
]


def table(path: Path, head: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


@pytest.fixture
def few(corpus: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the project's petitions: reading all would take as long as the rest of the tests."""
    monkeypatch.setattr(training.coldstart, "read_rows", lambda: corpus[::40])


@pytest.mark.usefixtures("few")
def test_it_answers_every_task_and_never_alone(
    model: Model, taxonomy: Taxonomy, office: Dataset, tmp_path: Path
) -> None:
    made = from_taxonomy(table(tmp_path / "类别表.csv", HEAD, ROWS), model, taxonomy).save(tmp_path / "cold", "cold")
    assert made.taxonomy.codes("category") == [row[0] for row in ROWS]
    assert made.tasks == list(TASKS)
    answers = Decider(made).answers(Reader().fields(office.fields))
    right = answers.best["category"] == office.columns("category", made.taxonomy)
    assert right.mean() > 0.5  # by chance 0.25
    assert not answers.alone(made.thresholds).any()
    assert made.thresholds.confidence == UNSURE
    assert made.scores == {"measured_on": COLD, "rows": 0, "tasks": {}}
    assert set(made.card["answered_by"]) == set(TASKS[1:])


@pytest.mark.usefixtures("few")
def test_the_base_is_meant_where_its_categories_are(model: Model, taxonomy: Taxonomy, tmp_path: Path) -> None:
    rows = [[label.code, label.name, label.holds] for label in taxonomy.categories]
    made = from_taxonomy(table(tmp_path / "a.csv", ["编码", "名称", "含义"], rows), model, taxonomy)
    assert made.taxonomy == taxonomy


def test_a_workbook_and_a_table_hold_the_same_entries(tmp_path: Path) -> None:
    with Workbook(tmp_path / "类别表.xlsx") as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([HEAD, *ROWS]):
            sheet.write_row(line, 0, row)
    entries = read_entries(tmp_path / "类别表.xlsx")
    assert entries == read_entries(table(tmp_path / "类别表.csv", HEAD, ROWS))
    assert entries[0] == Entry("灯光组", "灯光组", ROWS[0][1], ("路灯坏了一片漆黑", "灯杆被撞歪了"))
    assert entries[2].examples == ()
    assert entries[0].definition == f"灯光组。{ROWS[0][1]}"


def test_a_toml_taxonomy_may_hold_examples(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    nodes = [
        '[[nodes]]\ncode = "lamp"\nname = "灯光"\nholds = "路灯"\nexamples = ["路灯坏了", "灯不亮"]\n',
        '[[nodes]]\ncode = "noise"\nname = "噪声"\n',
    ]
    path.write_text("\n".join(nodes), encoding="utf-8")
    assert read_entries(path) == [Entry("lamp", "灯光", "路灯", ("路灯坏了", "灯不亮")), Entry("noise", "噪声", "")]


def test_more_examples_than_are_read_are_passed_over(tmp_path: Path) -> None:
    head = ["名称", *(f"示例{number}" for number in range(12))]
    rows = [["一", *map(str, range(12))], ["二", *[""] * 12]]
    assert len(read_entries(table(tmp_path / "a.csv", head, rows))[0].examples) == MOST


@pytest.mark.parametrize(
    ("head", "rows", "named"),
    [
        (HEAD, ROWS[:1], r"a\.csv：至少要两个类别"),
        (HEAD, [*ROWS, ROWS[1]], r"a\.csv.*噪声组"),
        (["编号", "解释"], [["1", "灯"], ["2", "水"]], r"a\.csv：找不到类别名称的列.*有：编号、解释"),
        (HEAD, [*ROWS[:2], ["", "没有名字", "", ""]], r"a\.csv 第 4 行：没有类别名称"),
    ],
    ids=["one-category", "twice", "no-name-column", "no-name"],
)
def test_a_table_that_is_no_taxonomy_is_named(
    tmp_path: Path, head: list[str], rows: list[list[str]], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        read_entries(table(tmp_path / "a.csv", head, rows))


@pytest.mark.parametrize(
    "text", ["[[nodes]\n", '[[nodes]]\nname = "灯"\n', "", '[[nodes]]\ncode = "a"\nname = "甲"\n' * 2]
)
def test_a_broken_toml_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises((InputError, RefusedData), match=r"own\.toml"):
        read_entries(tmp_path / "own.toml")


@pytest.mark.usefixtures("few")
def test_two_views_have_rows_of_length_one(model: Model) -> None:
    words, seen = training.coldstart._views(["", "路灯坏了，没有人来修", "标题", "楼上漏水"], model)
    assert np.allclose(np.sqrt(words.multiply(words).sum(axis=1)), 1)
    assert np.allclose((seen**2).sum(axis=1), 1)
