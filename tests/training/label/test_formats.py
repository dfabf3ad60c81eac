"""What is written for label tools: every format is read back equal, and nothing runs on anybody's desk."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy
from training.label.answers import read_labels
from training.label.formats import COLUMNS, format_of, studio_config, write_tasks
from training.label.names import Names
from training.label.next import Pick

FILES = {"label-studio": "t.json", "doccano": "t.jsonl", "jsonl": "t.jsonl", "xlsx": "t.xlsx"}
FORMULA = '=HYPERLINK("http://x.invalid","点我")'
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    str.strip
)
petitions = st.builds(
    Petition, st.from_regex(r"[A-Z]-[0-9]{1,5}", fullmatch=True), words, st.one_of(st.just(""), words)
)


def answer_studio(path: Path, name: str) -> None:
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for number, task in enumerate(tasks, 1):
        result = json.loads(json.dumps(task["predictions"][0]["result"]))
        result[0]["value"]["choices"] = [name]
        task |= {"id": number, "annotations": [{"completed_by": {"email": "a@x.invalid"}, "result": result}]}
    path.write_text(json.dumps(tasks), encoding="utf-8")


def answer_lines(key: str, value: Callable[[str], object]) -> Callable[[Path, str], None]:
    def answer(path: Path, name: str) -> None:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        rows = [row | {"id": number, key: value(name)} for number, row in enumerate(rows, 1)]
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")

    return answer


def answer_xlsx(path: Path, name: str) -> None:
    """As a person does it: the cell beside is filled, everything else stays."""
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            for column, cell in enumerate([*row[:5], row[5] if not line else name]):
                (sheet.write_string if isinstance(cell, str) else sheet.write_number)(line, column, cell)


ANSWER = {
    "label-studio": answer_studio, "doccano": answer_lines("label", lambda name: [name]),
    "jsonl": answer_lines("category", str), "xlsx": answer_xlsx,
}  # fmt: skip


@pytest.mark.parametrize("form", FILES)
@settings(max_examples=10, deadline=None)
@given(given_petitions=st.lists(petitions, min_size=1, max_size=4))
def test_what_is_written_is_read_back_equal(form: str, taxonomy: Taxonomy, given_petitions: list[Petition]) -> None:
    names = Names(taxonomy)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILES[form]
        write_tasks(path, form, [Pick(one, "leak", 0.41, 0.02) for one in given_petitions], names, "m")
        nobody = read_labels(path, taxonomy)
        ANSWER[form](path, names.told("category", "street_vending"))
        answered = read_labels(path, taxonomy)
    assert (nobody.rows, nobody.skipped) == ([], len(given_petitions))  # a suggestion is no answer
    assert [(row.id, row.text, row.title) for row in answered.rows] == [
        (one.id, one.text, one.title) for one in given_petitions
    ]
    assert all(row.labels == {"category": "street_vending"} for row in answered.rows)
    assert {row.source for row in answered.rows} == {form}


@pytest.fixture
def sheet(taxonomy: Taxonomy, tmp_path: Path) -> Path:
    path = tmp_path / "待标.xlsx"
    texts = [FORMULA, "+1", "-cmd", "@SUM(A1)", "长" * 40_000]
    picks = [Pick(Petition(f"={number}", text, text[:5]), "leak", 0.5, 0.1) for number, text in enumerate(texts)]
    write_tasks(path, "xlsx", picks, Names(taxonomy), "m")
    return path


def test_a_sheet_has_the_columns_a_list_of_categories_and_no_formula(sheet: Path, taxonomy: Taxonomy) -> None:
    rows = CalamineWorkbook.from_path(sheet).get_sheet_by_index(0).to_python()
    assert rows[0] == list(COLUMNS)
    assert rows[1][:6] == ["=0", FORMULA[:5], FORMULA, "漏水渗水", 0.5, ""]
    assert len(rows[5][2]) == 32_000
    listed = CalamineWorkbook.from_path(sheet).get_sheet_by_name("类别").to_python()
    assert [row[0] for row in listed] == Names(taxonomy).all("category")
    with zipfile.ZipFile(sheet) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert 'sqref="F2:F6"' in xml
    assert f"类别!$A$1:$A${len(listed)}" in xml


def test_a_label_studio_task_suggests_and_its_interface_offers_every_category(
    taxonomy: Taxonomy, tmp_path: Path
) -> None:
    path = tmp_path / "t.json"
    write_tasks(
        path, "label-studio", [Pick(Petition("A-1", "楼上漏水", "漏水"), "leak", 0.41, 0.02)], Names(taxonomy), "m-1"
    )
    (task,) = json.loads(path.read_text(encoding="utf-8"))
    assert task["data"] == {"id": "A-1", "petition_id": "A-1", "title": "漏水", "text": "楼上漏水"}
    (prediction,) = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("m-1", 0.41)
    config = ET.fromstring(studio_config(Names(taxonomy)))  # noqa: S314
    asked: Any = config.find("Choices")
    assert (asked.get("name"), asked.get("toName")) == ("category", "text")
    assert prediction["result"][0]["from_name"] == asked.get("name")
    assert [one.get("value") for one in asked] == Names(taxonomy).all("category")


def test_text_that_no_encoding_holds_is_written_with_a_mark(taxonomy: Taxonomy, tmp_path: Path) -> None:
    for form, name in FILES.items():
        write_tasks(tmp_path / name, form, [Pick(Petition("1", "坏\ud800字"), "leak", 0.5, 0.1)], Names(taxonomy), "m")
    assert "坏\ufffd字" in (tmp_path / "t.json").read_text(encoding="utf-8")


def test_the_format_is_named_or_that_of_the_suffix(tmp_path: Path) -> None:
    assert format_of(tmp_path / "a.JSON") == "label-studio"
    assert format_of(tmp_path / "a.jsonl", "doccano") == "doccano"
    for path, named in ((tmp_path / "a.txt", ""), (tmp_path / "a.json", "brat")):
        with pytest.raises(InputError, match="label-studio、doccano、xlsx、jsonl"):
            format_of(path, named)
