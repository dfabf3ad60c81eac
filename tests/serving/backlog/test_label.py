"""Old labels are read as one word, and never as a text or somebody's number."""

from __future__ import annotations

import pytest

from nlp.decision import CategoryAnswer
from serving.backlog.label import HIDDEN, LONG, Labels, same, tidy
from tests.serving.backlog.backlog import plan_of, row_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("住房 > 漏水", "住房/漏水"),
        ("住房->漏水", "住房/漏水"),
        ("住房／漏水", "住房/漏水"),
        (" 漏水 ", "漏水"),
        ("A-1", "A-1"),
        ("01020304", "01020304"),
        ("", ""),
        ("一" * 200, LONG),
        ("13800138000", HIDDEN),
        ("张三 11010119900101123X", f"张三 {HIDDEN}"),
    ],
)
def test_labels_as_offices_write_them(written: str, read: str) -> None:
    assert tidy((written.strip(),)) == read


def test_a_label_may_be_code_name_or_path() -> None:
    answer = CategoryAnswer("leak", "漏水渗水", ["住房/物业", "漏水渗水"], 0.9, [])
    assert all(same(old, answer) for old in ("leak", "漏水渗水", "住房/物业/漏水渗水"))
    assert not any(same(old, answer) for old in ("", "住房", "noise"))


def test_short_rows_and_odd_cells_are_read(corpus: list) -> None:  # type: ignore[type-arg]
    labels = Labels(plan_of())
    assert labels.old(row_of(1, corpus[0], "")._replace(cells=("1",))) == ""
    assert labels.old(row_of(1, corpus[0], ["漏水"])) == "漏水"  # type: ignore[arg-type]
    assert labels.old(row_of(1, corpus[0], 12.0)) == "12"  # type: ignore[arg-type]
    assert Labels(plan_of(without="category")).old(row_of(1, corpus[0], "漏水")) == ""
