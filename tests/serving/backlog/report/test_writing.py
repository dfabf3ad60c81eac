"""A report opens offline, is the same bytes each time, and takes nothing from outside as markup or formula."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from nlp.errors import InputError
from nlp.former import Former
from serving.backlog.label import tidy
from serving.backlog.report import write_report
from serving.backlog.report.material import Material
from serving.backlog.report.page import TITLES
from serving.backlog.tally import Tally
from tests.serving.backlog.backlog import plan_of
from tests.serving.backlog.report.conftest import Make

BAD = "<b onclick='x'>&\"$1$"
FORMULA = "=HYPERLINK(1)"
VOID = {"meta", "rect"}


class Page(HTMLParser):
    """The tags that are open, addresses, names of places, and all words outside style and script."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.names: list[str] = []
        self.words: list[str] = []
        self.source = (folder / "change.html").read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.names += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.words)


def written(given: Material, folder: Path) -> Page:
    write_report(folder, given.tally, given.plan, given.taxonomy, given.former)
    return Page(folder)


def test_it_opens_offline_and_says_first_what_matters(given: Material, tmp_path: Path) -> None:
    page = written(given, tmp_path / "deep" / "er")
    assert page.open == []
    assert page.names == list(TITLES)
    assert page.addresses == [f"#{name}" for name in TITLES]
    assert "http" not in page.source.replace("http-equiv", "")
    assert f"共读 400 行：自动判定 {given.tally.decided}" in page.text
    assert page.text.index("共读 400 行") < page.text.index("下一步") < page.text.index("旧标签去了哪里")
    assert "偶见" in page.text


def test_the_same_run_gives_the_same_bytes(given: Material, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        written(given, tmp_path / folder)
    for name in ("change.html", "change.json", "review.xlsx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["change.html", "change.json", "review.xlsx"]


def test_the_record_counts_and_holds_no_text(given: Material, tmp_path: Path) -> None:
    written(given, tmp_path)
    told = json.loads((tmp_path / "change.json").read_text(encoding="utf-8"))
    counts = told["counts"]
    assert counts["read"] == counts["decided"] + counts["human"] + counts["rejected"] == 400
    assert sum(one["rows"] for one in told["changes"]) == 399
    assert told["plan"]["id"] == given.plan.id
    assert told["rejects"] == {"列数不对": 1}
    assert len(told["sample"]) == len(given.tally.sample)
    assert "text" not in told["sample"][0]


def test_labels_from_outside_are_no_markup_and_no_formulas(make: Make, tmp_path: Path) -> None:
    names = [BAD, FORMULA, "很长" * 50, "+1", "-1", "@x", "\u202e\x00倒", "{=1}"]
    page = written(make(lambda number, _: names[number % len(names)]), tmp_path)
    assert page.open == []
    assert "<b onclick" not in page.source
    assert not {"\u202e", "\x00"} & set(page.source)
    assert page.source.count("<script") == 1
    with CalamineWorkbook.from_path(tmp_path / "review.xlsx") as book:
        cells = {cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row}
    assert {tidy((BAD,)), FORMULA, "+1", "@x", "{=1}"} <= cells
    with zipfile.ZipFile(tmp_path / "review.xlsx") as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


@pytest.mark.parametrize("count", [1, 3, 300])
def test_any_number_of_old_labels_makes_a_page(make: Make, count: int, tmp_path: Path) -> None:
    page = written(make(lambda number, _: f"旧{number % count}"), tmp_path)
    assert page.open == []
    assert page.names == list(TITLES)


def test_a_run_without_rows_or_labels_makes_a_page(given: Material, tmp_path: Path) -> None:
    none: Former | None = None
    for number, (tally, plan) in enumerate(
        [(Tally(), plan_of()), (Tally(read=1, rejected=1, rejects={"坏": {"": [1]}}), plan_of(without="category"))]
    ):
        page = written(replace(given, tally=tally, plan=plan, former=none), tmp_path / str(number))
        assert page.open == []
        assert page.names == list(TITLES)


def test_a_folder_that_cannot_be_is_named(given: Material, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="写不了"):
        written(given, tmp_path / "file" / "report")
