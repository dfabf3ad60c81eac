"""The workbook of suspects holds strings, whatever they look like, and a column to correct them in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from python_calamine import CalamineWorkbook

from nlp.petition import Petition
from nlp.taxonomy import TASKS
from training.report import Extras
from training.report.excerpts import LONGEST
from training.report.material import AT_LEAST, Material
from training.report.workbook import HEAD, write_workbook

Case = Any


def written(case: Case, texts: list[str], extras: Extras, path: Path) -> list[list[Any]]:
    """The first sheet of the suspects among petitions of these texts, in turn."""
    petitions = [Petition(str(row), texts[row % len(texts)]) for row in range(len(case.dataset))]
    dataset = replace(case.dataset, petitions=petitions)
    write_workbook(Material(case.report, dataset, case.taxonomy, extras), path)
    return list(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())


def test_words_that_look_like_formulas_are_words(case: Case, extras: Extras, tmp_path: Path) -> None:
    starts = ["=1+1", "+86", "-2", "@SUM(A1)", "{=1}", "https:", "12"]
    cells = written(case, starts, extras, tmp_path / "suspects.xlsx")
    with ZipFile(tmp_path / "suspects.xlsx") as file:
        sheets = [file.read(name).decode() for name in file.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == len(TASKS)
    assert not any("<f>" in sheet or "hyperlink" in sheet for sheet in sheets)
    assert {row[-1] for row in cells[1:]} == set(starts)


def test_it_lists_the_likeliest_first_with_room_for_the_right_label(case: Case, extras: Extras, tmp_path: Path) -> None:
    cells = written(case, ["井盖松了"], extras, tmp_path / "suspects.xlsx")
    assert tuple(cells[0]) == HEAD
    assert len(cells) == AT_LEAST + 1
    assert {row[HEAD.index("改为")] for row in cells[1:]} == {""}
    sure = [row[HEAD.index("现标签的把握")] for row in cells[1:]]
    assert sure == sorted(sure)
    ranked = (extras.suspects or {})["category"]
    assert [row[0] for row in cells[1:]] == [one.row + 1 for one in ranked[:AT_LEAST]]


def test_texts_are_masked_and_short(case: Case, extras: Extras, tmp_path: Path) -> None:
    texts = [f"{'请回电话。' * count}13812345678，楼道灯坏了" for count in range(13)]
    cells = written(case, texts, extras, tmp_path / "suspects.xlsx")
    assert max(len(row[-1]) for row in cells[1:]) == LONGEST
    assert not any("1381" in row[-1] for row in cells[1:])
    assert any("请回电话" in row[-1] for row in cells[1:])
