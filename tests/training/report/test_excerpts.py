"""An excerpt is masked before it is cut, stands on one line, and knows where it comes from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.petition import Petition
from training.dataset import Dataset
from training.report.excerpts import LONGEST, excerpts, line_of, shortened

PETITIONS = [Petition("a", "窨井盖翘起来了"), Petition("b", "联系我：13812345678", "路灯"), Petition("c", "")]
DATASET = Dataset(PETITIONS, {}, "a.csv", "0", lines=[2, 5, 9])


@given(st.text())
def test_it_is_short_and_on_one_line(text: str) -> None:
    told = shortened(text)
    assert len(told) <= LONGEST
    assert told == told.strip()
    assert all(sign.isprintable() for sign in told)


def test_it_stands_beside_its_line() -> None:
    found = excerpts(DATASET, [2, 0, 1, 1])
    assert {row: one.line for row, one in found.items()} == {0: 2, 1: 5, 2: 9}
    assert found[0].text == "窨井盖翘起来了"
    assert found[1].text.startswith("路灯 联系我")
    assert "138" not in found[1].text
    assert found[2].text == ""


def test_without_lines_the_rows_are_counted_from_one() -> None:
    assert line_of(Dataset(PETITIONS, {}, "a", "0"), 2) == 3
    assert excerpts(DATASET, []) == {}
