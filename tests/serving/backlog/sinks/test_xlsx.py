"""A workbook comes out with its sheets, numbers and times, and nothing in it calculates."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from nlp.decider import Decider
from nlp.errors import InputError
from serving.backlog.answers import HEADINGS
from serving.backlog.sinks import xlsx
from serving.backlog.sinks.xlsx import XlsxSink
from tests.serving.backlog.desk import answered, plan, tickets

COLUMNS = ("工单编号", "标题", "诉求内容", "附")
ODD = ('=HYPERLINK("http://x")', "+1", "-1", "@a", "http://example.invalid/", "{=1}", "007", " 空 ", "两\n行")


def made(decider: Decider, folder: Path, values: list[Any], sheets: tuple[str, ...] = ("表一",)) -> Path:
    one = plan(columns=COLUMNS, writing={"format": "xlsx"})
    sink = XlsxSink(one)
    spool, out = folder / "spool", folder / "out.xlsx"
    with spool.open("wb") as file:
        for sheet in sheets:
            rows = [[*tickets(1)[0][:3], value] for value in values]
            file.write(sink.rendered(answered(decider, one, rows, sheet)))
    sink.finish(spool, out)
    return out


def rows(path: Path, sheet: str = "表一") -> list[list[Any]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()


def test_text_stays_text_whatever_it_looks_like(decider: Decider, tmp_path: Path) -> None:
    out = made(decider, tmp_path, list(ODD))
    assert tuple(row[3] for row in rows(out)[1:]) == ODD
    with zipfile.ZipFile(out) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


def test_numbers_and_times_keep_their_kind(decider: Decider, tmp_path: Path) -> None:
    values = [7, 0.25, True, datetime(2026, 1, 2, 3, 4, 5), date(2026, 1, 2), time(3, 4, 5), timedelta(hours=30)]
    found = [row[3] for row in rows(made(decider, tmp_path, values))[1:]]
    assert found[:5] == values[:5]
    assert found[5:] == [time(3, 4, 5), timedelta(hours=30)]


def test_what_a_cell_has_no_form_for_is_text(decider: Decider, tmp_path: Path) -> None:
    values = [float("nan"), 10**17, date(1850, 1, 1), ["a", "b"]]
    found = [row[3] for row in rows(made(decider, tmp_path, values))[1:]]
    assert found == ["nan", str(10**17), "1850-01-01", "['a', 'b']"]


def test_sheets_stay_apart_under_their_names(decider: Decider, tmp_path: Path) -> None:
    out = made(decider, tmp_path, [1, 2], ("一月", "二月[旧]"))
    assert CalamineWorkbook.from_path(out).sheet_names == ["一月", "二月（旧）"]
    assert len(rows(out, "二月（旧）")) == 3
    assert rows(out, "一月")[0] == [*COLUMNS, *HEADINGS]


def test_a_full_sheet_goes_on_in_a_further_one(
    decider: Decider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "ROWS", 4)
    out = made(decider, tmp_path, list(range(8)), ("表" * 31,))
    names = CalamineWorkbook.from_path(out).sheet_names
    assert names == ["表" * 31, "表" * 28 + "（2）", "表" * 28 + "（3）"]
    assert [len(rows(out, name)) for name in names] == [4, 4, 3]


def test_nothing_decided_gives_a_head_and_two_runs_give_the_same_bytes(decider: Decider, tmp_path: Path) -> None:
    assert rows(made(decider, tmp_path, []), "Sheet1") == [[*COLUMNS, *HEADINGS]]
    first = made(decider, tmp_path, [1]).read_bytes()
    assert made(decider, tmp_path, [1]).read_bytes() == first


def test_a_text_longer_than_a_cell_is_told(decider: Decider, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"第 3 行，列“附”.*32768 字"):
        made(decider, tmp_path, ["短", "长" * 32_768])


def test_more_columns_than_a_sheet_has_are_told() -> None:
    with pytest.raises(InputError, match="16384 列"):
        XlsxSink(plan(columns=tuple(map(str, range(16_380))), roles={}))
