"""The chain: one, unbroken, however many write it and whenever they die."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from serving.audit.chain import HEAD, NOWHERE, Chain, ChainBroken, Mark
from serving.audit.record import Record, detail_digest
from serving.audit.verify import verify
from serving.journal.journal import Journal
from serving.store.engine import reading, writing
from serving.store.tables import audit
from tests.serving.audit.conftest import records

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from ulid_transform import ulid_now
from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.journal.journal import Journal
from serving.store.engine import open_engine

def write(number):
    record = Record(id=ulid_now(), at=number, actor=sys.argv[3], action="a")
    journal.write_now(lambda unit: unit.note(record))
    print(record.id + "\\n", end="", flush=True)

journal = Journal(open_engine(sys.argv[1]), Chain(b"x" * 32))
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(8) as threads:
    list(threads.map(write, range(int(sys.argv[2]))))
journal.close()
"""


def writers(url: str, count: int, each: int) -> list[subprocess.Popen[str]]:
    """Processes that have opened the store and wait for a line; each id that is on disk they print."""
    begun = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITER, url, str(each), f"w{number}"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(count)
    ]  # fmt: skip
    for process in begun:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return begun


def ids(journal: Journal) -> list[str]:
    return journal.read(lambda connection: list(connection.scalars(select(audit.c.id).order_by(audit.c.seq))))


def test_four_processes_write_one_chain(journal: Journal, store_url: str) -> None:
    """From the very first record on, for which there is no head yet to wait at."""
    processes = writers(store_url, 4, 200)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.records, found.head.seq) == (True, 800, 800)
    assert sorted(ids(journal)) == sorted(id_ for each in told for id_ in each)


def test_a_writer_that_is_killed_leaves_a_whole_chain(journal: Journal, store_url: str) -> None:
    """kill -9 in the middle of it, three times: what was acknowledged is there, once."""
    acknowledged: list[str] = []
    for _ in range(3):
        (process,) = writers(store_url, 1, 20_000)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout is not None
        acknowledged.append(process.stdout.readline().strip())
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        acknowledged += [line for line in process.communicate()[0].split() if len(line) == 26]
        assert verify(journal.engine, journal.chain).is_sound
    written = ids(journal)
    assert acknowledged
    assert set(acknowledged) <= set(written)
    assert len(written) == len(set(written))


def test_records_come_in_order_and_once(journal: Journal) -> None:
    batch = records(3)
    for _ in range(2):
        journal.write_now(lambda unit: unit.note(*batch))
    assert ids(journal) == [record.id for record in batch]


def test_equal_details_have_unequal_digests(journal: Journal) -> None:
    """Each has a salt of its own, so that nobody can try out whose it was."""
    journal.write_now(lambda unit: unit.note(*records(5, detail={"petition": "A-1"})))
    with reading(journal.engine) as connection:
        assert len(set(connection.scalars(select(audit.c.detail_digest)))) == 5


def test_hashes_depend_on_the_secret_and_on_what_came_before(journal: Journal) -> None:
    journal.write_now(lambda unit: unit.note(*records(1)))
    with reading(journal.engine) as connection:
        row = connection.execute(select(audit)).mappings().one()
    chains: Sequence[Chain] = (Chain(b"x" * 32), Chain(b"y" * 32))
    hashes = {chain.hash(before, row) for chain in chains for before in ("0" * 64, "1" * 64)}
    assert len(hashes) == 4
    assert row["hash"] in hashes


def test_a_mark_that_another_secret_signed_is_refused(journal: Journal) -> None:
    other = Chain(b"y" * 32)
    with writing(journal.engine) as connection:
        assert other.mark(connection, HEAD) == NOWHERE
        other.put_mark(connection, HEAD, Mark(7, "a" * 64, 1))
    with pytest.raises(ChainBroken):
        journal.write_now(lambda unit: unit.note(*records(1)))
    assert ids(journal) == []


def test_a_digest_tells_no_subject_from_an_empty_one() -> None:
    sealed = Record(id="1", at=1, actor="k", action="a").sealed("salt")
    assert len({detail_digest(subject, sealed) for subject in (None, "", "null", "s")}) == 4
