"""What the report tells adds up."""

from __future__ import annotations

from dataclasses import replace

from serving.backlog.flows import total
from serving.backlog.report.material import Material


def test_what_changes_adds_up(given: Material) -> None:
    tally = given.tally
    assert sum(one.rows for one in given.changes) == given.answered == 399
    assert sum(one.rows for one in given.moved) == tally.changed < given.answered
    assert sum(one.human for one in given.moved) == tally.changed_human
    assert sum(moved for moved, _ in given.bins) == tally.changed
    assert sum(map(sum, given.bins)) == given.answered
    assert all(0 < one.confidence <= 1 for one in given.changes)
    assert [one.rows for one in given.changes] == sorted((one.rows for one in given.changes), reverse=True)


def test_units_and_deadlines_add_up(given: Material) -> None:
    assert sum(rows for _, rows, _ in given.units) == given.answered
    assert sum(rows for _, rows in given.handed) <= given.answered
    assert sum(rows for _, rows in given.by_clock) == given.answered
    assert sum(rows for _, rows in given.months) == total(given.tally.days)
    assert given.overdue < given.answered


def test_only_labels_that_nothing_is_known_of_are_unknown(given: Material) -> None:
    assert ("偶见", 1) in given.unknown
    codes = set(given.taxonomy.codes("category"))
    assert not codes & {old for old, _ in given.unknown}
    assert all(0 <= one.reliability <= 1 for one in given.crossings)
    assert not {one.old for one in given.crossings} & {old for old, _ in given.unknown}


def test_without_former_labels_nothing_is_crossed(given: Material) -> None:
    bare = replace(given, former=None)
    assert bare.crossings == []
    assert len(bare.unknown) > len(given.unknown)
