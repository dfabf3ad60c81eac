"""What a retraining learns from: the upload line by line, labels that people settled, rows from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serving.desk.data import notes
from serving.desk.data.gather import Gathered, Material, gather
from tests.serving.desk.data.conftest import csv, xlsx

COLUMNS = {"text": ["诉求内容"], "title": ["诉求标题"], "category": ["诉求分类"]}


def lines(path: Path) -> dict[int, dict[str, Any]]:
    """By line, as whoever reads the file counts them."""
    told = path.read_text(encoding="utf-8").split("\n")
    return {number: json.loads(line) for number, line in enumerate(told, 1) if line}


def test_every_row_keeps_its_line_and_nothing_else_goes_along(tmp_path: Path) -> None:
    upload = tmp_path / "a.xlsx"
    upload.write_bytes(xlsx())
    assert gather(Material(upload, COLUMNS), tmp_path / "out.jsonl") == Gathered(12, 0, 0)
    found = lines(tmp_path / "out.jsonl")
    assert list(found) == list(range(2, 14))
    assert found[3] == {"诉求标题": "漏水", "诉求内容": "楼上卫生间漏水到我家，物业不管", "诉求分类": "住房"}
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_settled_labels_are_put_in_and_kept_ones_stay(tmp_path: Path) -> None:
    upload, settled = tmp_path / "a.csv", tmp_path / "settled.jsonl"
    upload.write_bytes(csv())
    for line, code, kept in ((3, "环境", False), (4, "市政", False), (4, "环境", True), (5, "住房", False)):
        notes.add(settled, {"task": "category", "line": line, "code": code, "kept": kept})
    assert gather(Material(upload, COLUMNS, settled), tmp_path / "out.jsonl").changed == 2
    found = lines(tmp_path / "out.jsonl")
    assert [found[line]["诉求分类"] for line in (2, 3, 4, 5)] == ["市政", "环境", "环境", "住房"]


def test_a_code_stands_for_all_levels(tmp_path: Path) -> None:
    upload, settled = tmp_path / "a.csv", tmp_path / "settled.jsonl"
    upload.write_bytes(
        csv(("内容", "一级分类", "二级分类"), [("楼上漏水", "住房", "漏水"), ("路灯不亮", "市政", "路灯")])
    )
    notes.add(settled, {"task": "category", "line": 3, "code": "住房/漏水", "kept": False})
    columns = {"text": ["内容"], "category": ["一级分类", "二级分类"]}
    gather(Material(upload, columns, settled), tmp_path / "out.jsonl")
    assert lines(tmp_path / "out.jsonl")[3] == {"内容": "路灯不亮", "一级分类": "住房/漏水", "二级分类": ""}


def test_rows_from_elsewhere_follow_and_the_last_word_counts(tmp_path: Path) -> None:
    upload, more = tmp_path / "a.csv", tmp_path / "more.jsonl"
    upload.write_bytes(csv())
    for note in (
        {"id": "1", "text": "井盖没了", "title": "", "category": "环境", "operator": "甲"},
        {"id": "1", "text": "井盖没了", "title": "", "category": "市政", "tier": "community", "operator": "甲"},
        {"id": "2", "text": "跳过的", "title": "", "operator": "甲"},
    ):
        notes.add(more, note)
    found = gather(Material(upload, COLUMNS, None, [more]), tmp_path / "out.jsonl")
    assert (found.rows, found.added) == (12, 1)
    last = lines(tmp_path / "out.jsonl")[14]
    assert last == {"id": "1", "诉求内容": "井盖没了", "诉求分类": "市政", "tier": "community"}


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text() | st.integers(0, 9), max_size=3), max_size=5))
def test_notes_come_back_and_a_line_cut_short_hides_none(held: list[dict[str, Any]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.jsonl"
        clean = [json.loads(json.dumps(note).encode(errors="replace")) for note in held]
        for note in clean:
            notes.add(path, {"x": 1} | note)
        with path.open("ab") as out:
            out.write(b'{"cut": ')
        assert notes.read(path) == [{"x": 1} | note for note in clean]
