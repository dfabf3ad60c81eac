"""A filled sample gives the share of right changes with its interval, and says where it was filled wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner
from xlsxwriter import Workbook

from nlp.errors import InputError
from serving.backlog.report import reviewed, write_report
from serving.backlog.report.commands import review_command
from serving.backlog.report.material import Material
from serving.backlog.report.review import Judged


@pytest.fixture
def fill(given: Material, tmp_path: Path) -> Callable[[Callable[[int], str]], Path]:
    """The sheet of a report, its first column filled by a function of the row's number from 0."""

    def filled(verdict: Callable[[int], str]) -> Path:
        write_report(tmp_path, given.tally, given.plan, given.taxonomy, given.former)
        with CalamineWorkbook.from_path(tmp_path / "review.xlsx") as book:
            head, *rows = book.get_sheet_by_name(book.sheet_names[0]).to_python()
        out = tmp_path / "filled.xlsx"
        with Workbook(out, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("抽样核对")
            for place, row in enumerate([head, *rows]):
                sheet.write_row(place, 0, [verdict(place - 1), *row[1:]] if place else row)
        return out

    return filled


def test_a_filled_sample_is_read(fill: Callable[[Callable[[int], str]], Path], given: Material) -> None:
    found = reviewed(fill(lambda row: ("对", "错", "对", "")[row % 4]))
    drawn, kept = len(given.tally.sample), len(given.tally.kept)
    assert drawn
    assert kept
    assert found.changed.right + found.changed.wrong + found.changed.blank == drawn
    assert found.kept.right + found.kept.wrong + found.kept.blank == kept
    alone = sum(not one.needs_human for one in given.tally.sample)
    assert found.alone.right + found.alone.wrong + found.alone.blank == alone
    low, high = found.changed.interval
    assert low < found.changed.share < high
    assert found.changed.share == pytest.approx(2 / 3, abs=0.01)


def test_the_interval_is_wilsons() -> None:
    assert Judged(0, 0, 3).interval == (0, 1)
    assert Judged(90, 10, 0).interval == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert Judged(400, 0, 0).interval == pytest.approx((0.9905, 1), abs=1e-4)


def test_the_workbook_is_read_as_it_came(given: Material, tmp_path: Path) -> None:
    """It holds the report's tables too, in sheets of other heads."""
    write_report(tmp_path, given.tally, given.plan, given.taxonomy, given.former)
    assert reviewed(tmp_path / "review.xlsx").changed == Judged(0, 0, len(given.tally.sample))


def test_a_wrong_verdict_is_named_with_its_row(fill: Callable[[Callable[[int], str]], Path]) -> None:
    with pytest.raises(InputError, match="第 4 行，列 对/错"):
        reviewed(fill(lambda row: "也许" if row == 2 else "对"))


def test_another_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("编号,内容\n1,漏水\n", encoding="utf-8")
    with pytest.raises(InputError, match="没有列 对/错"):
        reviewed(path)


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "filled.csv"
    path.write_text("对/错,组,需人工\n对,改,否\n错,改,否,多,出\n", encoding="utf-8")
    with pytest.raises(InputError, match="第 3 行"):
        reviewed(path)


def test_the_command_shows_it(fill: Callable[[Callable[[int], str]], Path]) -> None:
    app = typer.Typer()
    app.command()(review_command)
    runner = CliRunner()
    shown = runner.invoke(app, [str(fill(lambda row: "对" if row % 2 else "错"))], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    assert "有改动的行" in shown.output
    assert "没有填" not in shown.output
    blank = str(fill(lambda _row: ""))
    assert "还没有填" in runner.invoke(app, [blank]).output
    told = json.loads(runner.invoke(app, [blank, "--json"]).output)
    assert told["changed"]["right"] == 0
