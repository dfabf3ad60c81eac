"""Rows are known again by their traces, and names are free."""

from __future__ import annotations

from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from serving.backlog.sinks.record import Record, answer_names, canonical, distinct, traces


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "", "column", "b"]), max_size=8))
def test_distinct_names_are_distinct_and_the_first_of_each_stays(names: list[str]) -> None:
    found = distinct(names)
    assert len(found) == len(names) == len(set(found))
    for place, name in enumerate(names):
        assert found[place].startswith(name or "column")
        if name and name not in names[:place]:
            assert found[place] == name


def test_answers_get_one_ending_that_makes_them_all_free() -> None:
    assert answer_names(["a"], ["x", "y"]) == ("x", "y")
    assert answer_names(["x"], ["x", "y"]) == ("x_2", "y_2")
    assert answer_names(["x", "y_2"], ["x", "y"]) == ("x_3", "y_3")


def test_a_cell_is_told_alike_before_and_after_a_spreadsheet() -> None:
    assert canonical(3.0) == canonical(3) == canonical("3")
    assert canonical(0.1 + 0.2) == canonical(0.3)
    assert canonical("两\r\n行") == canonical("两\n行")
    assert canonical(datetime(2026, 1, 2)) == canonical(date(2026, 1, 2))
    assert canonical(None) == canonical("")
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


@given(st.lists(st.text(max_size=5), min_size=2, max_size=6), st.data())
def test_a_changed_cell_changes_the_trace(cells: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(cells) - 1))
    other = data.draw(st.text(max_size=5).filter(lambda text: canonical(text) != canonical(cells[place])))
    changed = [*cells[:place], other, *cells[place + 1 :]]
    before, after = (traces([Record(2, "", one)], 0)[0] for one in (cells, changed))
    assert before["sum"] != after["sum"] or before["weighted"] != after["weighted"]
    assert len(traces([])) == 0
