"""Verifying: every way of tampering with the chain is found, on both databases, and nothing else is."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from serving.audit import verify as module
from serving.audit.chain import Chain, Mark
from serving.audit.verify import MOST, Verified, verify
from serving.journal.journal import Journal
from serving.store.engine import reading
from tests.serving.audit.conftest import everything, put_back, records
from tests.serving.audit.tampering import LAST, PRUNED, TAMPERED, TYPED, run


def told(found: Verified) -> list[tuple[int, str]]:
    return [(fault.seq, fault.told) for fault in found.faults]


def test_a_chain_as_it_was_written_is_sound(journal: Journal, chain: Chain) -> None:
    found = verify(journal.engine, chain)
    assert told(found) == []
    assert (found.records, found.erased, found.head.seq, found.checkpoint.seq) == (42, 1, LAST, PRUNED)


def test_every_tampering_is_found(journal: Journal, chain: Chain) -> None:
    with reading(journal.engine) as connection:
        kept = everything(connection)
    ways = TAMPERED | (TYPED if journal.engine.dialect.name == "sqlite" else {})
    missed = []
    for name, statements in ways.items():
        run(journal.engine, statements)
        if verify(journal.engine, chain).is_sound:
            missed.append(name)
        put_back(journal.engine, kept)
        assert verify(journal.engine, chain).is_sound, f"not put back after: {name}"
    assert missed == []


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("actor of record 40", [(40, "与写下时不同，或者不在原来的位置")]),
        ("record and detail missing", [(41, "之前缺第 40 条")]),
        ("several missing", [(51, "之前缺第 35 到 50 条")]),
        ("detail changed", [(40, "内容或其归属被改过")]),
        ("detail missing", [(40, "内容不见了，也没有删除它的记录")]),
        ("erased detail put back", [(30, "按请求删除的内容又出现了")]),
        ("head missing", [(0, "没有链头：这里从来没有写过审计，或者它被删了")]),
        ("record added", [(63, "与写下时不同，或者不在原来的位置"), (63, "内容不见了，也没有删除它的记录"),
                          (63, "链头在第 62 条，之后的是后来加的")]),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_place_and_brings_no_others(
    journal: Journal, chain: Chain, name: str, faults: list[tuple[int, str]]
) -> None:
    run(journal.engine, TAMPERED[name])
    found = [fault for fault in told(verify(journal.engine, chain)) if not fault[1].endswith("没有对应的记录")]
    assert found == faults


def test_only_the_first_faults_are_told_and_all_are_counted(journal: Journal, chain: Chain) -> None:
    run(journal.engine, ["UPDATE audit SET outcome = 'refused'"])
    found = verify(journal.engine, chain)
    assert (found.count, len(found.faults)) == (42, MOST)


def test_another_secret_verifies_nothing(journal: Journal, chain: Chain) -> None:
    found = verify(journal.engine, Chain(b"y" * 32))
    assert found.count >= 42
    assert "秘密" in found.faults[0].told


def test_an_audit_that_was_never_written_proves_nothing(journal: Journal) -> None:
    assert told(verify(journal.engine, journal.chain)) == [(0, "没有链头：这里从来没有写过审计，或者它被删了")]


def test_a_head_that_was_noted_elsewhere(journal: Journal, chain: Chain) -> None:
    """Who puts back an older state, signed head and all, is found by that alone."""
    with reading(journal.engine) as connection:
        older = everything(connection)
    middle = verify(journal.engine, chain).head
    journal.write_now(lambda unit: unit.note(*records(5)))
    head, checkpoint = verify(journal.engine, chain).head, verify(journal.engine, chain).checkpoint
    good = [middle, head, checkpoint, Mark(3, "0" * 64, 0)]  # the last was pruned: only its number is known
    assert [verify(journal.engine, chain, (mark.seq, mark.hash)).count for mark in good] == [0, 0, 0, 0]
    assert verify(journal.engine, chain, (middle.seq, head.hash)).count == 1
    assert verify(journal.engine, chain, (checkpoint.seq, head.hash)).count == 1
    put_back(journal.engine, older)
    assert verify(journal.engine, chain).is_sound
    assert "更早的数据" in verify(journal.engine, chain, (head.seq, head.hash)).faults[0].told


def add(journal: Journal, count: int) -> None:
    for _ in range(count // 1000):
        batch = records(1000)
        journal.write_now(lambda unit, batch=batch: unit.note(*batch))  # type: ignore[misc]


def test_ten_thousand_records_take_seconds(journal: Journal) -> None:
    add(journal, 10_000)
    begun = time.perf_counter()
    assert verify(journal.engine, journal.chain).records == 10_000
    assert time.perf_counter() - begun < 5


def test_more_records_take_no_more_memory(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 100)
    peaks = []
    for count in (1000, 3000):
        add(journal, count)
        tracemalloc.start()
        assert verify(journal.engine, journal.chain).is_sound
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_forged_head_is_not_signed_anew(journal: Journal, chain: Chain) -> None:
    """The next write would make a chain that was cut off look whole."""
    run(journal.engine, TAMPERED["the end missing, the head moved"])
    with pytest.raises(Exception, match="签名不对"):
        journal.write_now(lambda unit: unit.note(*records(1)))
    assert not verify(journal.engine, chain).is_sound
