"""A table that was uploaded: its columns are recognised, and nobody's name or number is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import InputError
from nlp.reader import Reader
from serving.desk.data.table import looked
from tests.serving.desk.data.conftest import HEAD, ROWS, csv, xlsx

READER = Reader()


def file(folder: Path, content: bytes, suffix: str = ".csv") -> Path:
    path = folder / f"a{suffix}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("content", "suffix"), [(csv(), ".csv"), (xlsx(), ".xlsx")])
def test_what_a_table_is(tmp_path: Path, content: bytes, suffix: str) -> None:
    look = looked(file(tmp_path, content, suffix), {}, READER)
    assert (look.rows, list(look.names), look.fault, look.labelled) == (len(ROWS), list(HEAD), "", True)
    assert look.chosen == {"text": ("诉求内容",), "title": ("诉求标题",), "category": ("诉求分类",)}
    assert look.sample[0]["text"] == "小区门口的路灯不亮，晚上看不见路，请打[手机号]"
    assert "王小明" not in str(look), "columns that are not learned from are not shown"


def test_a_table_without_texts_says_so_and_can_be_told(tmp_path: Path) -> None:
    path = file(tmp_path, csv(("甲", "乙"), [(f"{row}", f"{row % 2}") for row in range(9)]))
    look = looked(path, {}, READER)
    assert look.fault.startswith("找不到正文列")
    assert "--" not in look.fault, "options are for the command line"
    assert not look.labelled
    assert looked(path, {"text": ["甲"], "category": ["乙"]}, READER).fault == ""


def test_a_table_without_labels_can_be_labelled(tmp_path: Path) -> None:
    look = looked(file(tmp_path, csv(HEAD[:2], [row[:2] for row in ROWS])), {}, READER)
    assert (look.fault, look.labelled, "text" in look.chosen) == ("", False, True)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    look = looked(file(tmp_path, csv()), {"text": ["别的"]}, READER)
    assert look.fault.startswith("没有列 别的")


@pytest.mark.parametrize(
    ("content", "suffix", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n", ".xlsx", "不是可读的 XLSX"),
        (csv(rows=()), ".csv", "只有表头"),
        (b"{", ".jsonl", "JSON"),
    ],
)
def test_what_nobody_can_read(tmp_path: Path, content: bytes, suffix: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        looked(file(tmp_path, content, suffix), {}, READER)
