"""Nothing of a rejected row is lost, and nothing of it calculates."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from corpora.rows.row import Row
from serving.backlog.answers import Answered
from serving.backlog.rejects import HEADINGS, head, rendered


def lines(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.none(), st.floats(allow_nan=False)
        )
    )
)
def test_raw_cells_come_back(cells: list[Any]) -> None:
    row = Row(7, tuple(cells), "坏了", "表一")
    heading, found = lines(head() + rendered([Answered(row, None, "坏了")]))
    assert tuple(heading) == HEADINGS
    assert found[:3] == ["7", "表一", "坏了"]
    assert json.loads(found[3]) == cells
    assert found[3].startswith("[")


def test_what_json_has_no_form_for_and_half_characters_are_kept_as_text() -> None:
    row = Row(7, (date(2026, 1, 2), "半\ud83d"), "坏了")
    ((*_, raw),) = lines(rendered([Answered(row, None, "坏了")]))
    assert "2026-01-02" in raw
    assert "半" in raw


def test_without_rejects_there_is_nothing() -> None:
    assert rendered([]) == b""
