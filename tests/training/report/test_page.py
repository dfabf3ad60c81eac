"""The page opens offline, is whole whatever the data, and takes nothing from outside as markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nlp.drift import Drift, Profile
from nlp.petition import Petition
from nlp.taxonomy import TASKS
from training.curve import Curve
from training.findings import Finding
from training.report import Extras, write_report
from training.report.sections import SECTIONS
from training.suspects import suspects

if TYPE_CHECKING:
    from collections.abc import Callable

Case = Any
BAD = "<script>alert('$1$')</script>"


class Page(HTMLParser):
    """The tags that are open, the addresses, the names of places, and all words outside style and script."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.names: list[str] = []
        self.words: list[str] = []
        self.source = (folder / "report.html").read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.names += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.words)


@pytest.fixture(scope="module")
def page(case: Case, extras: Extras, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("report") / "deep" / "er"
    write_report(case.report, case.dataset, case.taxonomy, folder, extras)
    return Page(folder)


def test_it_opens_offline_and_points_only_into_itself(page: Page) -> None:
    assert "http" not in page.source
    assert "url(h" not in page.source
    assert {address[0] for address in page.addresses} == {"#"}
    assert {address[1:] for address in page.addresses} <= set(page.names)
    assert len(page.names) == len(set(page.names))


def test_it_is_whole_and_names_every_task_and_label(page: Page, case: Case) -> None:
    assert page.open == []
    for name in ("类别", "层级", "时限", "诉求类型"):
        assert name in page.words
    assert {code for task in TASKS for code in case.taxonomy.codes(task)} <= set(page.words)


def test_every_section_begins_with_what_it_means(page: Page) -> None:
    sections = page.source.split("<section ")[1:]
    assert len(sections) == len(SECTIONS) == 9
    assert all('</h2><p class="lead">' in section for section in sections)


def test_the_text_of_the_pictures_is_text(page: Page) -> None:
    pictures = [part.partition("</svg>")[0] for part in page.source.split("<svg ")[1:]]
    assert len(pictures) == 4 + 4
    assert all("<text" in picture and 'role="img"' in picture for picture in pictures)
    assert "模型的回答" in pictures[0]


def test_it_tells_what_only_a_fit_knows(page: Page) -> None:
    for words in (
        "按登记人分组留出",
        "再标 1,000 条",
        "第 12、40 行",
        "PSI",
        "现行阈值 0.700",
        "现在问 25.0%",
        "2026 年 11 月 23 日",
    ):
        assert words in page.text


def test_it_tells_what_is_missing_and_why(case: Case, tmp_path: Path) -> None:
    write_report(case.report, case.dataset, case.taxonomy, tmp_path)
    assert Page(tmp_path).source.count('<p class="absent">') == 5


def test_the_confusions_stand_beside_lines_and_masked_excerpts(make: Callable[..., Case], tmp_path: Path) -> None:
    case, number = make(90, 3, "category"), "13812345678"
    petitions = [Petition(str(row), f"{'请回电话。' * (row % 13)}{number}，楼道灯坏了") for row in range(90)]
    lined = replace(case.dataset, petitions=petitions, lines=[1000 + row for row in range(90)])
    write_report(case.report, lined, case.taxonomy, tmp_path)
    wrong = 1000 + int(np.flatnonzero(~case.report.tasks["category"].right)[0])
    page = Page(tmp_path)
    assert "请回电话" in page.text
    assert number[:7] not in page.source
    assert any(f"第 {line} 行" in page.text for line in range(wrong, wrong + 10))


def test_names_from_outside_are_no_markup(make: Callable[..., Case], extras: Extras, tmp_path: Path) -> None:
    case = make(400, 3, "category")
    nodes = tuple(replace(node, name=f"{node.code}{BAD}") for node in case.taxonomy.nodes)
    petitions = [replace(one, title=BAD, text=f"{BAD}\u202e\x00\ud800“楼上漏水") for one in case.dataset.petitions]
    write_report(
        replace(case.report, data=f"{BAD}.csv", model='"><b>'),
        replace(case.dataset, petitions=petitions, name=BAD),
        replace(case.taxonomy, nodes=nodes),
        tmp_path,
        replace(extras, findings=[Finding(BAD, BAD, 1, [1])], held_out=BAD, suspects=None),
    )
    page = Page(tmp_path)
    assert page.open == []
    assert page.source.count("<script") == 1
    assert not {"<b>", "\u202e", "\x00"} & set(page.source)
    assert "<b>" not in page.source
    assert f"{BAD}.csv" in page.text


@pytest.mark.parametrize(
    ("rows", "width", "tasks"),
    [
        (2, 1, ["category"]),
        (1, 2, ["category"]),
        (2, 2, ["category", "tier"]),
        (1500, 300, ["category"]),
        (9, 1, ["tier"]),
        (40, 3, ["clock", "type"]),
        (1, 1, []),
    ],
)
def test_any_number_of_rows_labels_and_tasks_makes_a_page(
    make: Callable[..., Case], rows: int, width: int, tasks: list[str], tmp_path: Path
) -> None:
    case = make(rows, width, *tasks)
    same = Profile(0, {}, 0.0, 0.0, (0,) * 10)
    ranked = {task: suspects(score, range(rows)) for task, score in case.report.tasks.items()}
    none = Curve((), np.empty(0), np.empty((5, 0)), 0, rows)
    extras = Extras(curve=none, drift=Drift(same, same), suspects=ranked, findings=[])
    write_report(case.report, case.dataset, case.taxonomy, tmp_path, extras)
    page = Page(tmp_path)
    assert page.open == []
    assert ("没有带标签的行" in page.text) == (not tasks)
    assert bool(re.search("其余 2[0-9]+ 种", page.text)) == (width == 300)
