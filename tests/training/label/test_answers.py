"""Answers as label tools export them, and what is wrong with some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlp.errors import InputError
from nlp.taxonomy import Taxonomy
from training.label.answers import read_labels


def written(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def choice(name: str, question: str = "category") -> dict[str, object]:
    return {"from_name": question, "to_name": "text", "type": "choices", "value": {"choices": [name]}}


def test_each_annotator_of_a_label_studio_export_is_one_answer(taxonomy: Taxonomy, tmp_path: Path) -> None:
    data = {"petition_id": "A-1", "text": "厨房顶上往下滴水", "title": ""}
    annotations = [
        {"completed_by": 3, "result": [choice("漏水渗水"), choice("社区·村", "tier")]},
        {"completed_by": {"email": "b@x.invalid"}, "result": [choice("物业管理")]},
        {"completed_by": 4, "was_cancelled": True, "result": [choice("供电")]},
    ]
    tasks = [
        {"id": 9, "data": data, "annotations": annotations},
        {"id": 10, "data": {"text": "路灯不亮"}, "annotations": [], "predictions": [{"result": [choice("供电")]}]},
        {"id": 11, "data": {"text": "路灯不亮"}, "annotations": [{"completed_by": 3, "result": []}]},
        {"id": 12, "data": {"text": "路灯不亮"}, "annotations": [{"completed_by": 3, "result": [choice("供电", "q")]}]},
        {"id": 13, "data": {"text": "屋顶漏"}, "annotations": [
            {"result": [{"from_name": "t", "type": "taxonomy", "value": {"taxonomy": [["住房与物业", "漏水渗水"]]}}]}]},
    ]  # fmt: skip
    found = read_labels(written(tmp_path / "e.json", tasks), taxonomy)
    assert found.skipped == 2
    assert [(row.id, row.operator, row.labels) for row in found.rows] == [
        ("A-1", "3", {"category": "leak", "tier": "community"}),
        ("A-1", "b@x.invalid", {"category": "property_management"}),
        ("12", "3", {"category": "power"}),
        ("13", "", {"category": "leak"}),
    ]


def test_json_min_is_read_with_the_id_of_the_petition_not_of_the_task(taxonomy: Taxonomy, tmp_path: Path) -> None:
    rows = [
        {"id": 71, "petition_id": "A-1", "text": "滴水", "category": "漏水渗水", "annotator": 2, "annotation_id": 5},
        {"id": 72, "petition_id": "A-2", "text": "滴水", "category": {"choices": ["漏水渗水"]}, "annotator": 2},
        {"id": 73, "petition_id": "A-3", "text": "滴水", "annotator": 2},
    ]
    found = read_labels(written(tmp_path / "m.json", rows), taxonomy)
    assert [(row.id, row.operator, row.labels["category"]) for row in found.rows] == [
        ("A-1", "2", "leak"), ("A-2", "2", "leak"),
    ]  # fmt: skip
    assert found.skipped == 1


def test_doccano_lists_and_scores(taxonomy: Taxonomy, tmp_path: Path) -> None:
    rows = [
        {"id": 1, "petition_id": "A-1", "title": "漏", "text": "漏\n滴水", "label": ["漏水渗水", "求助"]},
        {"id": 2, "text": "滴水", "cats": {"漏水渗水": 1.0, "供电": 0.0}},
        {"id": 3, "text": "滴水", "label": []},
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    found = read_labels(written(tmp_path / "d.jsonl", lines), taxonomy)
    assert [(row.id, row.title, row.text, row.labels) for row in found.rows] == [
        ("A-1", "漏", "滴水", {"category": "leak", "type": "help"}), ("2", "", "滴水", {"category": "leak"}),
    ]  # fmt: skip
    assert found.skipped == 1


def test_a_sheet_saved_as_csv(taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.csv", "编号,内容,类别,层级,标注人\n1,滴水,漏水渗水,,甲\n2,滴水,,,乙\n3,滴水,leak,grid,乙\n"
    )
    found = read_labels(path, taxonomy)
    assert [(row.id, row.operator, row.labels) for row in found.rows] == [
        ("1", "甲", {"category": "leak"}), ("3", "乙", {"category": "leak", "tier": "grid"}),
    ]  # fmt: skip


BAD = {
    "unknown.jsonl": (
        '{"text": "a", "category": "leak"}\n\n{"text": "b", "label": ["漏水渗氺"]}',
        "第 3 行.*漏水渗水.*改正",
    ),
    "two.jsonl": ('{"text": "a", "label": ["漏水渗水", "供电"]}', "第 1 行.*两个答案（漏水渗水、供电）"),
    "broken.jsonl": ('{"text": "a"}\n{"text"', "第 2 行.*不是 JSON"),
    "list.jsonl": ("[1]", "第 1 行.*不是 JSON 对象"),
    "deep.json": ("[" * 200_000, "不是 JSON"),
    "object.json": ("{}", "Label Studio"),
    "text.json": ('["a"]', "第 1 条.*不是 JSON 对象"),
    "annotations.json": ('[{"data": {"text": "a"}, "annotations": 3}]', "第 1 条.*应是列表"),
    "data.json": ('[{"data": "a"}]', "第 1 条.*不是 JSON 对象"),
    "unknown.csv": ("编号,内容,类别\n1,滴水,漏水渗水\n2,滴水,漏雨渗水\n", "第 3 行，类别.*漏水渗水"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_named_with_its_row(name: str, taxonomy: Taxonomy, tmp_path: Path) -> None:
    content, told = BAD[name]
    with pytest.raises(InputError, match=told) as caught:
        read_labels(written(tmp_path / name, content), taxonomy)
    assert name in str(caught.value)


def test_a_file_that_is_not_there(taxonomy: Taxonomy, tmp_path: Path) -> None:
    for name in ("x.json", "x.jsonl", "x.xlsx"):
        with pytest.raises(InputError, match="打不开"):
            read_labels(tmp_path / name, taxonomy)
