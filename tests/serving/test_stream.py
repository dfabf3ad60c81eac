"""Petitions as lines: order kept, bad lines named, memory of one chunk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from nlp.decider import Decider, Options
from serving.stream import CHUNK, Stream, decide_stream

ZONE = ZoneInfo("Asia/Shanghai")
OPTIONS = Options(datetime(2026, 11, 23, 1, 12, 3, tzinfo=UTC), evidence=False)


def line(number: int, **more: object) -> bytes:
    return json.dumps({"id": str(number), "text": "路灯不亮"} | more, ensure_ascii=False).encode() + b"\n"


def read(*lines: bytes) -> tuple[list[str], list[str]]:
    """The numbers of the petitions, and the faults."""
    stream = Stream("a.jsonl", ZONE)
    return [petition.id for petition in stream.petitions(lines)], stream.taken_faults()


def test_petitions_come_in_order_with_the_zone_of_the_office() -> None:
    stream = Stream("a.jsonl", ZONE)
    lines = [line(2, received_at="2026-03-01T08:00"), line(1, title="灯", phone=None)]
    second, first = stream.petitions(lines)
    assert (second.id, first.id) == ("2", "1")
    assert second.received_at == datetime(2026, 3, 1, 8, tzinfo=ZONE)
    assert (first.title, first.phone) == ("灯", "")
    assert stream.failed == 0


def test_blank_lines_and_marks_are_passed_over() -> None:
    assert read(b"\xef\xbb\xbf" + line(1), b"\n", b"  \r\n", line(2).replace(b"\n", b"\r\n")) == (["1", "2"], [])


def test_a_mark_and_nothing_else_is_a_blank_line() -> None:
    assert read(b"\xef\xbb\xbf\n", b"\xef\xbb\xbf", line(1)) == (["1"], [])


def test_bad_lines_are_named_by_number_and_place() -> None:
    read_ids, faults = read(
        line(1), b"{\n", line(2), b'{"id": "x"}\n', b"\n", b"\xff\xfe\n", b"[]\n", line(3, text=5), line(4)
    )
    assert read_ids == ["1", "2", "4"]
    starts = ["第 2 行，$：", "第 4 行，text：", "第 6 行，$：", "第 7 行，$：", "第 8 行，text："]
    assert [fault.removeprefix("a.jsonl ") for fault in faults] == [
        fault for start, fault in zip(starts, [f.removeprefix("a.jsonl ") for f in faults], strict=True)
        if fault.startswith(start)
    ]  # fmt: skip


def test_a_fault_is_told_once() -> None:
    stream = Stream("a.jsonl", ZONE)
    assert not list(stream.petitions([b"{"]))
    assert len(stream.taken_faults()) == 1
    assert stream.taken_faults() == []
    assert stream.failed == 1


@given(st.lists(st.one_of(st.binary(max_size=30), st.integers(0, 99).map(line), st.just(b"\n"))))
def test_every_line_is_a_petition_a_fault_or_blank(lines: list[bytes]) -> None:
    stream = Stream("a.jsonl", ZONE)
    petitions = list(stream.petitions(lines))
    blank = sum(not part.removeprefix(b"\xef\xbb\xbf").strip() for part in lines)
    assert len(petitions) + stream.failed + blank == len(lines)
    assert len(stream.taken_faults()) == stream.failed


def test_no_more_than_a_chunk_is_read_ahead(decider: Decider) -> None:
    taken = 0

    def lines() -> Iterator[bytes]:
        nonlocal taken
        for number in range(3 * CHUNK):
            taken += 1
            yield line(number)

    chunks = decide_stream(decider, Stream("a.jsonl", ZONE).petitions(lines()), OPTIONS)
    first = next(chunks)
    assert taken == CHUNK
    rest = b"".join(chunks)
    ids = [json.loads(part)["id"] for part in (first + rest).splitlines()]
    assert ids == [str(number) for number in range(3 * CHUNK)]


def test_no_petitions_give_no_lines(decider: Decider) -> None:
    assert list(decide_stream(decider, iter([]), OPTIONS)) == []
