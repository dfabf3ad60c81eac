"""Labelled petitions from the corpus, and from the tables of an office."""

from __future__ import annotations

import csv
import hashlib
from datetime import datetime
from pathlib import Path

import datasets
import pytest
import xlsxwriter

from corpora.moments import CHINA
from corpora.petitions import Row, corpus_hash
from nlp.errors import InputError
from nlp.taxonomy import TASKS
from training.dataset import Dataset
from training.sources import from_corpus, open_dataset, open_source, paths


def written(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def open_written(path: Path, named: dict[str, str]) -> Dataset:
    return open_dataset(str(path), named)


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
    dataset = open_dataset(str(path), {})
    assert (dataset.petitions[0].title, dataset.petitions[0].text) == ("灯", "路灯不亮")
    assert dataset.labels == {"category": ["leak"], "tier": ["grid"], "clock": ["general"], "type": ["help"]}
    assert dataset.name == "a.csv"
    assert dataset.hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_named_columns_go_before_the_usual_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["text", "说明", "label", "大类"], ["甲", "乙", "leak", "noise"])
    dataset = open_dataset(str(path), {"text": "说明", "category": "大类"})
    assert dataset.petitions[0].text == "乙"
    assert dataset.labels == {"category": ["noise"]}


def test_columns_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    dataset = open_written(written(tmp_path / "a.csv", ["text", "tier"], ["甲", "grid"], ["乙", ""]), {})
    assert dataset.labels == {"tier": ["grid", ""]}
    assert [petition.title for petition in dataset.petitions] == ["", ""]


@pytest.mark.parametrize("role", ["text", "title", *TASKS])
def test_a_named_column_that_is_not_there_is_refused(tmp_path: Path, role: str) -> None:
    path = written(tmp_path / "a.csv", ["text", "label"], ["甲", "leak"])
    with pytest.raises(InputError, match=rf"没有列 部门（指定给 {role}）；有：text、label"):
        open_dataset(str(path), {role: "部门"})


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--text.*有：正文本、label"):
        open_written(written(tmp_path / "a.csv", ["正文本", "label"], ["甲", "leak"]), {})


def test_a_table_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--category.*有：text、部门"):
        open_written(written(tmp_path / "a.csv", ["text", "部门"], ["甲", "城管"]), {})


def test_numbers_times_groups_and_lines_are_carried(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        ["工单编号", "诉求内容", "诉求类别", "来电时间", "分组"],
        ["A-7", "楼道灯\n不亮", "leak", "2024/3/5 8:01:02", "甲"],
        ["", "有人占道", "road", "昨天", ""],
        ["A-9", "水管漏水", "leak", "", "甲"],
    )
    source = open_source(str(path), {})
    dataset = source.dataset
    assert [petition.id for petition in dataset.petitions] == ["A-7", "4", "A-9"]
    assert dataset.lines == [2, 4, 5]
    assert dataset.times == [datetime(2024, 3, 5, 8, 1, 2, tzinfo=CHINA), None, None]
    assert list(source.unread) == [4]
    assert dataset.group_numbers[0] == dataset.group_numbers[2] != dataset.group_numbers[1]
    assert dataset.headings == {
        "text": "诉求内容", "category": "诉求类别", "time": "来电时间", "id": "工单编号", "group": "分组"
    }  # fmt: skip
    assert not source.chosen.guessed


def test_dates_of_excel_are_times(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["内容", "分类", "时间"])
        sheet.write_row(1, 0, ["水管漏水", "leak"])
        sheet.write_datetime(1, 2, datetime(2024, 3, 5, 8, 1, 2), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
    assert open_dataset(str(tmp_path / "a.xlsx"), {}).times == [datetime(2024, 3, 5, 8, 1, 2, tzinfo=CHINA)]


@pytest.mark.parametrize("named", [{}, {"category": ("一级分类", "二级分类", "三级分类")}])
def test_one_column_a_level_makes_a_path(tmp_path: Path, named: dict[str, tuple[str, ...]]) -> None:
    head = ["内容", "二级分类", "一级分类", "三级分类", "一级部门"]
    path = written(
        tmp_path / "a.csv", head, ["甲", " 漏水", "住房 ", "屋顶", "局"], ["乙", "供水/供电", "公用", "", "局"]
    )
    source = open_source(str(path), named)
    assert source.dataset.labels == {"category": ["住房/漏水/屋顶", "公用/供水／供电"]}
    assert source.dataset.headings["category"] == "一级分类/二级分类/三级分类"


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["住房 / 漏水", "住房"], ["住房/漏水", "住房"]),
        (["住房>漏水", "环境 ＞ 噪声"], ["住房/漏水", "环境/噪声"]),
        (["住房-＞漏水", "环境->噪声", ""], ["住房/漏水", "环境/噪声", ""]),
        (["住房→漏水\\屋顶", "/"], ["住房/漏水/屋顶", "/"]),
        (["漏水", "噪声", "供水>供电"], ["漏水", "噪声", "供水>供电"]),
        (["A-1", "A-2"], ["A-1", "A-2"]),
    ],
)
def test_paths_in_one_column_are_joined_one_way(values: list[str], read: list[str]) -> None:
    assert paths(values) == read


def test_columns_without_a_usual_name_are_guessed_and_marked(tmp_path: Path) -> None:
    rows = [[str(n), "网", f"第{n}栋楼道里的灯坏了没有人修", ["漏水", "噪声", "路灯"][n % 3], "是"] for n in range(12)]
    rows[3][1] = rows[5][1] = "电话"
    source = open_source(str(written(tmp_path / "a.csv", ["序", "渠道", "说了什么", "是什么", "回访"], *rows)), {})
    assert source.chosen.headings == {"text": "说了什么", "category": "是什么"}
    assert source.chosen.guessed == {"text", "category"}
    assert source.dataset.labels["category"][:3] == ["漏水", "噪声", "路灯"]


def test_a_column_that_is_named_for_one_role_plays_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["内容", "诉求类型"], ["甲", "漏水"])
    assert open_dataset(str(path), {"category": "诉求类型"}).labels == {"category": ["漏水"]}


def test_several_columns_of_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["甲", "乙", "label"], ["一", "二", "三"])
    with pytest.raises(InputError, match="--text 只能指定一列"):
        open_dataset(str(path), {"text": ["甲", "乙"]})


def test_labels_that_are_all_empty_are_refused_with_their_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["内容", "分类", "层级"], ["甲", " ", ""])
    with pytest.raises(InputError, match="标签列（分类、层级）全是空的"):
        open_dataset(str(path), {})


def test_a_task_that_nobody_labelled_is_absent(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["内容", "分类", "层级"], ["甲", "leak", ""])
    assert open_dataset(str(path), {}).labels == {"category": ["leak"]}


def test_a_formula_without_its_value_is_refused_only_where_it_matters(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["内容", "分类", "序号"])
        sheet.write_row(1, 0, ["水管漏水", "leak"])
        sheet.write_formula("C2", "=ROW()", None, "")
        sheet.write_row(2, 0, ["夜里吵"])
    assert len(open_dataset(str(tmp_path / "a.xlsx"), {})) == 2
    with pytest.raises(InputError, match=r"单元格 C2，列 序号：.*另存为值"):
        open_dataset(str(tmp_path / "a.xlsx"), {"category": "序号"})


def test_a_saved_data_set_is_read_by_its_folder(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    rows = datasets.Dataset.from_dict({"text": ["甲", "乙"], "label": ["leak", "noise"]})
    rows.save_to_disk(str(tmp_path / "set"))
    dataset = open_dataset(str(tmp_path / "set"), {})
    assert dataset.labels == {"category": ["leak", "noise"]}
    assert dataset.place(1).endswith("set 第 2 行")
    assert dataset.hash == open_dataset(str(tmp_path / "set"), {}).hash


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.xls", "数据 表"])
def test_a_source_that_is_not_there_is_one_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=name):
        open_dataset(str(tmp_path / name), {})


def test_a_table_without_a_head_is_not_guessed(tmp_path: Path) -> None:
    rows = [[f"青石巷{number}号楼下的路灯一直不亮，请派人来修", ("路灯", "道路")[number % 2]] for number in range(30)]
    with pytest.raises(InputError, match="第一行像是一件工单"):
        open_written(written(tmp_path / "a.csv", *rows), {})


def test_one_column_cannot_play_two_roles(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["内容", "类别"], ["路灯不亮", "路灯"])
    with pytest.raises(InputError, match="内容 派了两个用处"):
        open_written(path, {"text": "内容", "category": "内容"})


def test_the_sheet_that_was_read_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        note, data = book.add_worksheet("填写说明"), book.add_worksheet("工单")
        note.write_string(0, 0, "请按下表填写")
        data.write_row(0, 0, ["内容", "类别"])
        data.write_row(1, 0, ["路灯不亮", "路灯"])
    with pytest.raises(InputError, match="『填写说明』：只有表头"):
        open_written(path, {})
    with xlsxwriter.Workbook(path) as book:
        note, data = book.add_worksheet("填写说明"), book.add_worksheet("工单")
        note.write_column(0, 0, ["请按下表填写", "一行一件", "不要空行"])
    with pytest.raises(InputError, match="『填写说明』：找不到"):
        open_written(path, {})
