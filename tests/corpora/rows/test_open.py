"""Every kind of file is opened by its suffix, and what cannot be is told."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import xlsxwriter

from corpora.rows.open import open_rows
from nlp.errors import InputError


def test_every_kind_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\nx,水\n", encoding="utf-8")
    (tmp_path / "a.TSV").write_text("a\tb\nx\t水\n", encoding="gb18030")
    (tmp_path / "a.txt").write_text("a|b\nx|水\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"a": "x", "b": "水"}\n', encoding="utf-8")
    pyarrow.parquet.write_table(pyarrow.table({"a": ["x"], "b": ["水"]}), tmp_path / "a.parquet")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_row(1, 0, ["x", "水"])
    for path in sorted(tmp_path.iterdir()):
        source = open_rows(path)
        assert (source.columns, [row.cells for row in source.rows()]) == (("a", "b"), [("x", "水")]), path


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("編號#內容\n1#請問\n", encoding="big5")
    assert open_rows(tmp_path / "a.csv", encoding="big5", delimiter="#").columns == ("編號", "內容")


@pytest.mark.parametrize(
    ("name", "told"), [("a.xls", "另存为 .xlsx"), ("a.doc", r"可用：.*\.parquet"), ("a.csv", "没有这个文件")]
)
def test_what_cannot_be_opened_is_told(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        open_rows(tmp_path / name)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx", ".parquet"])
def test_a_folder_is_no_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").mkdir()
    with pytest.raises(InputError, match="是文件夹"):
        open_rows(tmp_path / f"a{suffix}")
