"""JSONL is read row by row: all keys are columns, and a broken line costs itself alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.rows import file
from corpora.rows.lines import LinesSource
from nlp.errors import InputError


def source(path: Path, content: str | bytes) -> LinesSource:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return LinesSource(path)


def test_columns_are_all_keys_in_the_order_in_which_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BLOCK", 8)
    table = source(tmp_path / "a.jsonl", '\ufeff{"b": 1, "a": "水"}\n\n{"c": [1, {"d": null}], "b": 2.50}\r\n{}')
    assert table.columns == ("b", "a", "c")
    assert [tuple(row) for row in table.rows()] == [
        (1, (1, "水", None), "", ""), (3, (2.5, None, [1, {"d": None}]), "", ""), (4, (None, None, None), "", "")
    ]  # fmt: skip
    assert (table.size(), table.share()) == (3, 1.0)


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', "NaNN", '{"a": 1}}', "[" * 100_000])
def test_a_broken_line_is_a_reject_that_shows_it(tmp_path: Path, line: str) -> None:
    rows = list(source(tmp_path / "a.jsonl", f'{{"a": 1}}\n{line}\n{{"a": 2}}\n').rows())
    assert [(row.number, row.cells) for row in rows] == [(1, (1,)), (2, (line,)), (3, (2,))]
    assert [bool(row.reason) for row in rows] == [False, True, False]
    assert "不是 JSON" in rows[1].reason


def test_numbers_longer_than_a_machine_word_and_halves_of_characters_are_kept(tmp_path: Path) -> None:
    rows = list(source(tmp_path / "a.jsonl", '{"a": 20261123000000000000000017}\n{"a": "灯\\ud83d"}\n').rows())
    assert [row.cells for row in rows] == [(20261123000000000000000017,), ("灯\ud83d",)]


def test_a_line_in_another_encoding_is_a_reject(tmp_path: Path) -> None:
    content = '{"a": "水"}\n'.encode() * 3 + '{"a": "路灯"}\n'.encode("gbk")
    rows = list(source(tmp_path / "a.jsonl", content).rows())
    assert [row.reason for row in rows] == ["", "", "", "不是 UTF-8 编码"]
    assert rows[3].cells == ('{"a": "路灯"}',)
    assert next(source(tmp_path / "b.jsonl", '{"a": "路灯不亮了"}'.encode("gb18030")).rows()).cells == ("路灯不亮了",)


@pytest.mark.parametrize(
    ("content", "told"), [("", "文件是空的"), ("\n{}\n", "文件是空的"), ("x\n", "第 1 行不是 JSON")]
)
def test_a_file_without_objects_is_refused(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        source(tmp_path / "a.jsonl", content)


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    table = source(tmp_path / "a.jsonl", '{"a": 1}\n')
    (tmp_path / "a.jsonl").write_text('{"a": 10}\n')
    with pytest.raises(InputError, match="在读的时候变了"):
        list(table.rows())
