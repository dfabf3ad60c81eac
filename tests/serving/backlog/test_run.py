"""A run that ends anywhere and goes on gives byte for byte what an unbroken run gives."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nlp.errors import InputError
from serving.backlog import batch, finish, folder, ledger, run
from serving.backlog.run import Stopped
from serving.backlog.workers import decided_here
from tests.serving.backlog.desk import HEAD, Desk, read, tickets, written

STRIDES = {"csv": 3, "xlsx": 8, "jsonl": 11, "parquet": 11}  # formats, and how many steps lie between two kills


class Killed(BaseException):
    """Stands for SIGKILL: nobody may catch it, and nothing is put right after it."""


def kill_at(step: int) -> Callable[..., Any]:
    """Counts calls, and ends the run at one of them."""
    left = [step]

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return count


def guarded(monkeypatch: pytest.MonkeyPatch, count: Callable[[], None]) -> None:
    """Every call that puts something on disk may be the last."""
    for owner, name in (
        (run.Spool, "add"), (ledger.Ledger, "add"), (ledger, "synced"), (folder.Folder, "keep"), (folder, "synced"),
        (finish, "synced"), (folder.Folder, "clear"), (Path, "replace"), (Path, "unlink"),
    ):  # fmt: skip
        whole = getattr(owner, name)

        def step(*given: Any, _whole: Any = whole, **named: Any) -> Any:
            count()
            return _whole(*given, **named)

        monkeypatch.setattr(owner, name, step)


def contents(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file() and path.name != "in.csv"}


@pytest.mark.parametrize("kind", STRIDES)
def test_killed_at_any_step_and_resumed_it_gives_the_same_bytes(
    desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [*tickets(34), ["多", "出", "的", "格", "子", "！"]]
    written(desk / "in.csv", rows)
    desk.batch("in.csv", f"out.{kind}")
    whole = contents(desk.folder)
    assert set(whole) == {f"out.{kind}", *(f"out.{kind}{end}" for end in (".manifest.json", ".rejects.csv", ".traces"))}
    step, ended = 0, False
    while not ended:
        for name in whole:
            (desk / name).unlink()
        with monkeypatch.context() as patch:
            guarded(patch, kill_at(step))
            try:
                desk.batch("in.csv", f"out.{kind}", resume=True)
                ended = True
            except Killed:
                pass
        desk.batch("in.csv", f"out.{kind}", resume=True)
        assert contents(desk.folder) == whole, step
        assert not (desk / f"out.{kind}.jiesu").exists()
        step += STRIDES[kind]
    assert step > 20


def test_the_moment_of_the_beginning_counts_when_it_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written(desk / "in.csv", tickets(30))
    with monkeypatch.context() as patch:
        guarded(patch, kill_at(14))
        with pytest.raises(Killed):
            desk.batch("in.csv", "out.csv", now="2020-01-02T03:04:05+08:00")
    desk.batch("in.csv", "out.csv", now="", resume=True)
    assert {row[-2] for row in read(desk / "out.csv")[1:]} == {"2020-01-02T03:04:05+08:00"}


def test_asked_to_stop_it_ends_after_the_chunk_and_goes_on_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written(desk / "in.csv", tickets(30))
    desk.batch("in.csv", "whole.csv")

    def engine(bench: Any, *_: Any) -> Any:
        def decided(chunks: Any) -> Iterator[tuple[int, bytes]]:
            for number, answer in decided_here(bench, chunks):
                if number == 1:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield number, answer

        return decided

    with monkeypatch.context() as patch:
        patch.setattr(batch, "engine", engine)
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(Stopped, match="已做完 20 行") as stopped:
            desk.batch("in.csv", "out.csv")
        assert signal.getsignal(signal.SIGTERM) is before
    assert stopped.value.exit_code == 1
    assert not (desk / "out.csv").exists()
    desk.batch("in.csv", "out.csv", resume=True)
    assert (desk / "out.csv").read_bytes() == (desk / "whole.csv").read_bytes()


def test_every_row_is_decided_or_rejected_with_its_cells_as_they_were(desk: Desk) -> None:
    rows = tickets(12)
    rows[4].append("多出来的")
    written(desk / "in.csv", rows)
    manifest = desk.batch("in.csv", "out.csv")
    counts = manifest["counts"]
    assert counts["read"] == 12 == counts["decided"] + counts["human"] + counts["rejected"]
    head, *found = read(desk / "out.csv")
    assert tuple(head[:5]) == HEAD
    assert [row[:5] for row in found] == [row for row in rows if len(row) == 5]
    (heading, rejected) = read(desk / "out.csv.rejects.csv")
    assert heading == ["行号", "工作表", "原因", "原始内容"]
    assert rejected[0] == "6"
    assert "多出来的" in rejected[3]


def test_a_count_that_does_not_add_up_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written(desk / "in.csv", tickets(12))
    whole = run.Spool.add
    monkeypatch.setattr(run.Spool, "add", lambda self, parts: whole(self, dict(parts) | {"traces": b""}))
    with pytest.raises(finish.Unbalanced, match="读了 12 行，却只有 0 行"):
        desk.batch("in.csv", "out.csv")
    assert not (desk / "out.csv").exists()


def test_a_full_disk_is_told_and_nothing_stands_under_the_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written(desk / "in.csv", tickets(30))

    def full(self: Any, parts: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run.Spool, "add", full)
        with pytest.raises(InputError, match=r"No space left.*--resume"):
            desk.batch("in.csv", "out.csv")
    assert desk.names == {"in.csv", "out.csv.jiesu"}
    desk.batch("in.csv", "out.csv", resume=True)
    assert len(read(desk / "out.csv")) == 31


def test_a_file_without_rows_gives_a_head(desk: Desk) -> None:
    written(desk / "in.csv", [])
    assert desk.batch("in.csv", "out.csv")["counts"]["read"] == 0
    assert len(read(desk / "out.csv")) == 1


def test_a_time_nobody_can_read_is_counted_and_the_row_decided(desk: Desk) -> None:
    rows = tickets(3)
    rows[1][3] = "上个月的某一天"
    written(desk / "in.csv", rows)
    assert desk.batch("in.csv", "out.csv")["counts"]["unread"] == 1
    head, *found = read(desk / "out.csv")
    due = head.index("接诉_截止")
    assert [bool(row[due]) for row in found] == [True, False, True]
    assert any("1 行的受理时间读不懂" in words for words in desk.said)
