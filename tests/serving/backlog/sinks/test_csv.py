"""CSV comes out cell by cell as it was, whatever is in it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.decider import Decider
from nlp.errors import InputError
from serving.backlog.answers import HEADINGS
from serving.backlog.sinks.csv import CsvSink
from serving.backlog.sinks.record import Record
from tests.serving.backlog.desk import HEAD, answered, plan, tickets

ODD = ["=1+1", "+86", "-5", "@x", "\tx", '引"号', "两\r\n行", "一,二", "", " 空 ", "'已有撇", "\x00"]


def back(raw: bytes, encoding: str = "utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode(encoding), newline="")))


def sink(**writing: str) -> CsvSink:
    return CsvSink(plan(writing={"format": "csv", **writing}))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=len(HEAD), max_size=len(HEAD)))
def test_any_text_comes_back_as_it_was(cells: list[str]) -> None:
    whole = [*cells, *["答"] * len(HEADINGS)]
    assert back(sink().written([Record(2, "", whole)])) == [whole]


@pytest.mark.parametrize("text", ODD)
def test_odd_cells_are_untouched_and_escaped_only_when_asked(decider: Decider, text: str) -> None:
    rows = tickets(1)
    rows[0][1] = text
    found = answered(decider, plan(), rows)
    plain = back(sink().rendered(found))[0]
    assert plain[:5] == rows[0]
    escaped = back(sink(escape="1").rendered(found))[0]
    assert escaped[1] == (f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text)
    assert len(plain) == len(HEAD) + len(HEADINGS)


def test_the_head_begins_with_a_mark_unless_another_encoding_is_wanted() -> None:
    assert sink().head().startswith(b"\xef\xbb\xbf" + "工单编号,".encode())
    assert sink(encoding="utf-8").head().startswith("工单编号,".encode())
    assert back(sink(encoding="gb18030").head(), "gb18030")[0] == [*HEAD, *HEADINGS]


def test_a_character_that_the_encoding_lacks_is_told_with_row_and_column(decider: Decider) -> None:
    rows = tickets(3)
    rows[2][1] = "好😀"
    narrow = sink(encoding="gbk")
    narrow.head()
    with pytest.raises(InputError, match=r"第 4 行，列“标题”.*U\+1F600"):
        narrow.rendered(answered(decider, plan(), rows))
    with pytest.raises(InputError, match="列名“工单编号”"):
        sink(encoding="ascii").head()


def test_half_a_character_becomes_the_sign_for_it(decider: Decider) -> None:
    rows = tickets(1)
    rows[0][1] = "半\ud83d"
    assert back(sink().rendered(answered(decider, plan(), rows)))[0][1] == "半\ufffd"


def test_headings_that_come_twice_or_are_empty_stay_and_answers_get_free_names() -> None:
    columns = ("编号", "编号", "", "接诉_类别")
    twice = CsvSink(plan(columns=columns, roles={}))
    assert twice.names[:4] == columns
    assert twice.names[4] == "接诉_类别编码_2"
    assert len(set(twice.names[4:])) == len(HEADINGS)


def test_numbers_and_truth_of_other_formats_are_written_as_text(decider: Decider) -> None:
    found = answered(decider, plan(), [[7.0, True, "路灯不亮", None, 0.5]])
    assert back(sink().rendered(found))[0][:5] == ["7", "True", "路灯不亮", "", "0.5"]


def test_a_short_row_is_filled_so_that_answers_stand_under_their_names(decider: Decider) -> None:
    found = answered(decider, plan(), [tickets(1)[0][:3]])
    row = back(sink().rendered(found))[0]
    assert row[3:5] == ["", ""]
    assert len(row) == len(HEAD) + len(HEADINGS)
