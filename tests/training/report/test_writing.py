"""A folder with a report holds the record for programs, the page, and the workbook where there are suspects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.report import Extras, write_report

Case = Any


@pytest.fixture(scope="module")
def folder(case: Case, extras: Extras, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(case.report, case.dataset, case.taxonomy, folder, extras)
    return folder


def told(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return record


def test_the_keys_of_the_contract_stand_first(folder: Path, case: Case) -> None:
    record, first = told(folder), case.report.as_dict()
    assert dict(list(record.items())[: len(first)]) == first
    more = ["day", "held_out", "threshold", "details", "curve", "drift", "findings", "suspects"]
    assert list(record)[len(first) :] == more


def test_the_record_holds_every_suspect_by_its_line(case: Case, extras: Extras, tmp_path: Path) -> None:
    lined = replace(case.dataset, lines=[1000 + row for row in range(len(case.dataset))])
    write_report(case.report, case.dataset, case.taxonomy, tmp_path, replace(extras, learned=lined))
    record = told(tmp_path)
    for task, ranked in (extras.suspects or {}).items():
        assert [one["line"] for one in record["suspects"][task]] == [1000 + one.row for one in ranked]
        assert len(ranked) == len(case.dataset)


def test_the_record_holds_no_text_of_a_petition(folder: Path, case: Case) -> None:
    written = (folder / "report.json").read_text(encoding="utf-8")
    assert "路灯" not in written
    assert "路灯" in (folder / "report.html").read_text(encoding="utf-8")
    assert case.dataset.petitions[0].title == "路灯不亮"


def test_the_intervals_hold_the_figures(folder: Path) -> None:
    record = told(folder)
    for task, details in record["details"].items():
        low, high = details["macro_f1_interval"]
        assert low < record["tasks"][task]["macro_f1"] < high


def test_an_older_report_is_replaced(folder: Path, case: Case, extras: Extras, tmp_path: Path) -> None:
    write_report(case.report, case.dataset, case.taxonomy, tmp_path, extras)
    for name in ("report.json", "report.html"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert (tmp_path / "suspects.xlsx").is_file()
    write_report(case.report, case.dataset, case.taxonomy, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert told(tmp_path)["suspects"] is None
