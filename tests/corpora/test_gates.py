"""The gates: the corpus passes them all, and each closes on the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from corpora import gates
from corpora.gates import GATES, Corpus, Gate, read_limits
from corpora.petitions import Row
from corpora.readings import read_readings
from nlp.taxonomy import TASKS, Taxonomy

LIMITS = read_limits()
ROW = Row("x-1", "", "路灯坏了三天没有人来修", "public_facilities", "street", "general", "help", "note", "T001")


@pytest.fixture(scope="module")
def whole(corpus: list[Row], taxonomy: Taxonomy) -> Corpus:
    return Corpus(corpus, read_readings(), taxonomy)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: str(gate.__name__))
def test_the_corpus_passes(gate: Callable[[Corpus, Any], Gate], whole: Corpus) -> None:
    passed = gate(whole, LIMITS)
    assert passed.offenders == ()
    assert passed.open
    assert passed.name
    assert passed.measured
    assert passed.wanted


def few(taxonomy: Taxonomy, *rows: Row) -> Corpus:
    """A corpus of these rows, read twice alike."""
    labels = {row.id: {task: getattr(row, task) for task in TASKS} for row in rows}
    return Corpus(list(rows), {number: {1: own, 2: own} for number, own in labels.items()}, taxonomy)


def numbered(text: str) -> list[Row]:
    return [replace(ROW, id=f"x-{number}", text=text.format(number)) for number in range(9)]


FAULTS: dict[str, tuple[Callable[[Corpus, Any], Gate], list[Row], str]] = {
    "too few rows": (gates.size, [ROW], "缺"),
    "a number twice": (gates.unique, [ROW, replace(ROW, text="另一条")], "x-1"),
    "a text twice": (gates.unique, [ROW, replace(ROW, id="x-2")], "x-2"),
    "an empty text": (gates.unique, [replace(ROW, text=" ")], "x-1"),
    "a category without rows": (gates.categories, [ROW], "leak 0"),
    "a topic without rows": (gates.topical, [ROW], "T002 0"),
    "a tier without rows": (gates.tiers, [ROW], "grid"),
    "a clock without rows": (gates.clocks, [ROW], "urgent"),
    "labels that cannot be together": (gates.possible, [replace(ROW, category="labour_dispute", tier="grid")], "x-1"),
    "a category told by its name": (gates.names, [replace(ROW, category="leak", text="家里漏水")], "leak “漏水” 100%"),
    "a pair written on one side": (gates.pairs, [replace(ROW, category="leak", text="停水了")], "leak"),
    "two rows alike": (gates.unlike, [ROW, replace(ROW, id="x-2", text=ROW.text + "。")], "x-1 与 x-2"),
    "one opening": (gates.openings, numbered("你好我要反映{}"), "你好我要反映"),
    "one long run": (gates.runs, numbered("{}请有关部门尽快派人来处理一下"), "请有关部门尽快派人来处理"),
    "text like a stencil": (gates.dense, [replace(ROW, text="请处理。" * 10_000)], "模板"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gate_closes_on_its_fault(fault: str, taxonomy: Taxonomy) -> None:
    gate, rows, told = FAULTS[fault]
    closed = gate(few(taxonomy, *rows), LIMITS)
    assert not closed.open
    assert any(told in offender for offender in closed.offenders)


def test_every_gate_has_a_fault_that_closes_it() -> None:
    assert {gate for gate, _, _ in FAULTS.values()} | {gates.settled} == set(GATES)


def test_a_row_that_was_not_read_twice_closes_the_gate(taxonomy: Taxonomy) -> None:
    once = few(taxonomy, ROW)
    del once.readings["x-1"][2]
    assert gates.settled(once, LIMITS).offenders == ("x-1",)


def test_rows_made_by_adding_noise_are_not_counted(taxonomy: Taxonomy) -> None:
    noisy = few(taxonomy, ROW, replace(ROW, id="x-2", text="路灯怀了", generated=True))
    assert [row.id for row in noisy.written] == ["x-1"]
    assert gates.size(noisy, LIMITS | {"rows": 2}).offenders == ("缺 1 条",)


def test_every_category_has_names_and_limits_name_real_codes(taxonomy: Taxonomy) -> None:
    codes = set(taxonomy.codes("category"))
    assert set(LIMITS["names"]["of"]) == codes - {"other"}
    assert set(LIMITS["per_category_more"]) <= codes
    assert {code for pair in LIMITS["pairs"]["of"] for code in pair["codes"]} <= codes
    assert set(LIMITS["least"]["tier"]) == set(taxonomy.codes("tier"))
    assert set(LIMITS["least"]["clock"]) <= set(taxonomy.codes("clock"))
