"""A chunk is the same whoever decides it, and one row that cannot be decided costs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpora.rows.row import Row
from nlp.decider import Decider
from serving.backlog.answers import Answered
from serving.backlog.deciding import Deciding
from serving.backlog.sinks.open import open_sink
from serving.backlog.sinks.record import TRACE
from serving.backlog.spool import BODY, FILES, REJECTS, TRACES
from serving.backlog.tally import Tally
from serving.backlog.work import Done, Work, safely
from tests.serving.backlog.desk import plan, tickets

POISON = "毒"


class Failing(Deciding):
    """Fails on a batch that holds a certain text."""

    def answered(self, rows: Sequence[Row]) -> list[Answered]:
        if any(POISON in str(row.cells) for row in rows):
            raise ZeroDivisionError
        return super().answered(rows)


@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3), st.integers(0, 10**6))
def test_done_survives_its_travel(parts: list[bytes], rows: int) -> None:
    done = Done(rows, dict(zip(FILES, parts, strict=True)), Tally(read=rows, decided=rows))
    assert Done.unpacked(done.packed()) == done


def test_a_chunk_gives_records_traces_rejects_and_counts(decider: Decider) -> None:
    one = plan()
    rows = [Row(number, tuple(cells)) for number, cells in enumerate(tickets(5), 2)]
    rows[3] = Row(5, ("坏",), "少了列")
    done = Done.unpacked(Work(Deciding(one, decider), open_sink(one))(0, rows))
    assert (done.rows, done.tally.read, done.tally.rejected) == (5, 5, 1)
    assert done.parts[BODY].count(b"\r\n") == 4
    assert "少了列" in done.parts[REJECTS].decode()
    assert len(np.frombuffer(done.parts[TRACES], TRACE)) == 4


def test_a_dry_chunk_gives_rejects_and_counts_alone(decider: Decider) -> None:
    one = plan()
    rows = [Row(2, tuple(tickets(1)[0])), Row(3, (), "空")]
    done = Done.unpacked(Work(Deciding(one, decider), None, dry=True)(0, rows))
    assert (done.parts[BODY], done.parts[TRACES]) == (b"", b"")
    assert "空" in done.parts[REJECTS].decode()
    assert done.tally.read == 2


def test_a_row_on_which_deciding_fails_is_a_reject_and_the_others_are_decided(decider: Decider) -> None:
    cells = tickets(4)
    cells[2][2] = POISON
    rows = [Row(number, tuple(one)) for number, one in enumerate(cells, 2)]
    found = safely(Failing(plan(), decider), rows)
    assert [one.decision is None for one in found] == [False, False, True, False]
    assert found[2].reason == "判不了（ZeroDivisionError）"
    whole = Deciding(plan(), decider).answered([row for row in rows if row.number != 4])
    alone = [one for one in found if one.decision]
    assert [one.values for one in alone] == [one.values for one in whole]


def test_the_decision_number_depends_on_source_row_and_model(decider: Decider) -> None:
    rows = [Row(2, tuple(tickets(1)[0]))]
    plans = [plan(), plan(digest="9" * 64), plan(model="other"), replace(plan(), chunk=7)]
    numbers = [safely(Deciding(one, decider), rows)[0].decision for one in plans]
    ids = [one.decision_id for one in numbers if one]
    assert len(set(ids[:3])) == 3
    assert ids[3] == ids[0]
