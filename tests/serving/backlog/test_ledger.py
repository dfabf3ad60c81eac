"""The ledger tells where a run stands, whatever its last line looks like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlp.decider import Decider
from serving.backlog import ledger
from serving.backlog.ledger import LEDGER, Entry, Ledger, last_entry, told
from serving.backlog.spool import BODY, Spool
from serving.backlog.tally import Tally
from tests.serving.backlog.desk import answered, plan, tickets

EMPTY = Tally()


def filled(folder: Path, chunks: int, tally: Tally) -> None:
    """A ledger and a spool of so many chunks of a byte, ten rows each."""
    with Spool(folder, {}, {}) as spool:
        spool.add({})
        book = Ledger(folder, Entry(0, 0, dict(spool.sizes), dict(spool.checks), EMPTY))
        for number in range(chunks):
            spool.add({BODY: b"x"})
            book.add(Entry(number + 1, 10 * (number + 1), dict(spool.sizes), dict(spool.checks), tally))
        book.close()


def test_a_run_stands_after_its_last_whole_chunk_with_the_tally_of_all(tmp_path: Path) -> None:
    filled(tmp_path, 3, Tally(read=10, decided=10))
    entry = last_entry(tmp_path)
    assert entry
    assert (entry.chunks, entry.rows, entry.sizes[BODY]) == (3, 30, 3)
    assert entry.tally.read == 30


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_does_not_count(tmp_path: Path, cut: int) -> None:
    filled(tmp_path, 3, Tally(read=10, decided=10))
    path = tmp_path / LEDGER
    path.write_bytes(path.read_bytes()[:-cut])
    entry = last_entry(tmp_path)
    assert entry
    assert (entry.chunks, entry.tally.read) == (2, 20)


def test_a_chunk_whose_bytes_are_not_on_disk_does_not_count(tmp_path: Path) -> None:
    filled(tmp_path, 3, Tally(read=10, decided=10))
    (tmp_path / BODY).write_bytes(b"xy")  # as after a power failure: shorter, and not what was written
    entry = last_entry(tmp_path)
    assert entry
    assert entry.chunks == 1


def test_without_a_ledger_there_is_nothing(tmp_path: Path) -> None:
    assert last_entry(tmp_path) is None
    (tmp_path / LEDGER).write_bytes(b"{")
    assert last_entry(tmp_path) is None


def test_a_long_ledger_is_folded_and_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LINES", 4)
    filled(tmp_path, 23, Tally(read=10, human=10))
    assert len(told(tmp_path)) <= 4
    entry = last_entry(tmp_path)
    assert entry
    assert (entry.chunks, entry.rows, entry.tally.human) == (23, 230, 230)


def test_lines_hold_only_the_part_of_the_sample_that_still_counts(tmp_path: Path, decider: Decider) -> None:
    one = plan()
    found = [Tally.of(one, answered(decider, one, tickets(40)[start : start + 20])) for start in (0, 20)]
    book = Ledger(tmp_path, Entry(0, 0, {}, {}, EMPTY))
    for number, tally in enumerate(found, 1):
        book.add(Entry(number, 20 * number, {}, {}, tally))
    book.close()
    whole = found[0].merged(found[1])
    assert book.tally == whole
    assert Tally.total(line.tally for line in told(tmp_path)) == whole
    assert ledger.thinned(found[0], replace(whole, sample=(), kept=())).sample == ()
