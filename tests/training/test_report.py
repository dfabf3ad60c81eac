"""The report of an evaluation: for programs the figures, for people a page that opens offline."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nlp.model import Model
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.evaluation import Report, evaluate
from training.report import write_report


@pytest.fixture(scope="module")
def report(model: Model, dataset: Dataset) -> Report:
    return evaluate(model, dataset)


@pytest.fixture(scope="module")
def folder(report: Report, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "deep" / "er"
    write_report(report, taxonomy, folder)
    return folder


class Page(HTMLParser):
    """The tags that are open, the cells, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str | None] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def test_the_figures_are_those_of_the_report(folder: Path, report: Report) -> None:
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == report.as_dict()


def test_the_page_opens_offline(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in text
    assert "//" not in text
    assert "<script" not in text
    assert parsed(folder / "report.html").addresses == []


def test_the_page_is_whole_and_names_every_task_and_label(folder: Path, taxonomy: Taxonomy) -> None:
    page = parsed(folder / "report.html")
    assert page.open == []
    for name in ("类别", "层级", "时限", "诉求类型"):
        assert name in page.words
    assert {code for task in TASKS for code in taxonomy.codes(task)} <= set(page.words)


def test_names_from_outside_are_no_markup(report: Report, taxonomy: Taxonomy, tmp_path: Path) -> None:
    write_report(replace(report, data="<script>1</script>.csv", model='"><b>'), taxonomy, tmp_path)
    page = parsed(tmp_path / "report.html")
    assert page.open == []
    assert "<script>" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert any("<script>1</script>.csv" in words for words in page.words)


def test_no_text_of_a_petition_stands_in_it(folder: Path, dataset: Dataset) -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert not any(petition.text[:12] in written for petition in dataset.petitions)


def test_an_older_report_is_replaced(folder: Path, report: Report, taxonomy: Taxonomy) -> None:
    before = (folder / "report.json").read_bytes()
    write_report(report, taxonomy, folder)
    assert (folder / "report.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
