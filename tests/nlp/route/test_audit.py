"""Audit: each kind of fault is found, at its line, and a sound catalogue has none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nlp.files import RULES
from nlp.route.audit import EXPIRED, GAP, OVERLAP, UNREACHABLE, Finding, audit
from nlp.route.catalogue import COLUMNS, Catalogue
from nlp.taxonomy import Taxonomy

TODAY = date(2026, 11, 23)
HEAD = ",".join(COLUMNS)


def findings(tmp_path: Path, taxonomy: Taxonomy, rows: list[str], about: str = "leak") -> list[Finding]:
    """What is found in a catalogue of these rows (number, category, tier, words, lead, start, end)."""
    lines = []
    for row in rows:
        number, category, tier, words, lead, start, end = row.split(",")
        lines.append(f"{number},1,{category},,{tier},,,{words},{lead},,,,,,,{start},{end}")
    path = tmp_path / "catalogue.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    found = audit(Catalogue.read(path, taxonomy, {}), taxonomy, TODAY)
    return [one for one in found if about in one.told]


def test_the_shipped_catalogue_is_sound(taxonomy: Taxonomy) -> None:
    assert audit(Catalogue.read(RULES / "catalogue.csv", taxonomy, {}), taxonomy, TODAY) == []


def test_a_category_without_rows_is_a_gap(tmp_path: Path, taxonomy: Taxonomy) -> None:
    found = findings(tmp_path, taxonomy, ["n-1,noise,,,甲,2026-01-01,"])
    assert [(one.kind, one.line) for one in found] == [(GAP, 0)]


def test_a_tier_without_a_row_is_a_gap(tmp_path: Path, taxonomy: Taxonomy) -> None:
    found = findings(tmp_path, taxonomy, ["leak-1,leak,grid；community；street；district,,甲,2026-01-01,"])
    assert [one.kind for one in found] == [GAP]
    assert "city" in found[0].told
    assert "district" not in found[0].told


def test_a_row_that_will_end_leaves_a_gap_from_the_day_after(tmp_path: Path, taxonomy: Taxonomy) -> None:
    found = findings(tmp_path, taxonomy, ["leak-1,leak,,,甲,2026-01-01,2027-03-31"])
    assert [one.kind for one in found] == [GAP]
    assert "2027-04-01" in found[0].told


def test_a_row_with_words_closes_no_gap(tmp_path: Path, taxonomy: Taxonomy) -> None:
    assert [one.kind for one in findings(tmp_path, taxonomy, ["leak-1,leak,,屋顶,甲,2026-01-01,"])] == [GAP]


def test_an_expired_row_is_told(tmp_path: Path, taxonomy: Taxonomy) -> None:
    rows = ["leak-1,leak,,,甲,2025-01-01,2026-11-22", "leak-2,leak,,,乙,2026-11-23,"]
    assert [(one.kind, one.line) for one in findings(tmp_path, taxonomy, rows)] == [(EXPIRED, 2)]


@pytest.mark.parametrize("first", ["leak-1,leak,,,甲,2026-01-01,", "leak-1,leak,street；district,,甲,2026-01-01,"])
def test_a_row_behind_a_wider_one_is_unreachable(tmp_path: Path, taxonomy: Taxonomy, first: str) -> None:
    rows = [first, "leak-2,leak,street,屋顶,乙,2026-01-01,", "leak-3,leak,,,丙,2026-01-01,"]
    found = [one for one in findings(tmp_path, taxonomy, rows) if one.kind == UNREACHABLE]
    assert found[0].line == 3
    assert "第 2 行" in found[0].told


def test_rows_that_together_hide_another_are_found(tmp_path: Path, taxonomy: Taxonomy) -> None:
    rows = [
        "leak-1,leak,grid；community；street,,甲,2026-01-01,",
        "leak-2,leak,district；city,,乙,2026-01-01,",
        "leak-3,leak,,,丙,2026-01-01,",
    ]
    assert [(one.kind, one.line) for one in findings(tmp_path, taxonomy, rows)] == [(UNREACHABLE, 4)]


def test_a_row_is_reachable_again_when_the_wider_one_ends(tmp_path: Path, taxonomy: Taxonomy) -> None:
    rows = ["leak-1,leak,,,甲,2026-01-01,2026-12-31", "leak-2,leak,,,乙,2026-01-01,"]
    assert UNREACHABLE not in [one.kind for one in findings(tmp_path, taxonomy, rows)]


def test_rows_that_cross_and_send_elsewhere_overlap(tmp_path: Path, taxonomy: Taxonomy) -> None:
    rows = [
        "leak-1,leak,grid；street,,甲,2026-01-01,", "leak-2,leak,street；city,,乙,2026-01-01,",
        "leak-3,leak,,,丙,2026-01-01,",
    ]  # fmt: skip
    found = [one for one in findings(tmp_path, taxonomy, rows) if one.kind == OVERLAP]
    assert [one.line for one in found] == [3]
    assert "第 2 行" in found[0].told


def test_a_finer_row_before_a_coarser_one_is_no_fault(tmp_path: Path, taxonomy: Taxonomy) -> None:
    rows = [
        "leak-1,leak,street,屋顶,甲,2026-01-01,",
        "leak-2,leak,street,,乙,2026-01-01,",
        "leak-3,leak,,,丙,2026-01-01,",
    ]
    assert findings(tmp_path, taxonomy, rows) == []
