"""Several processes give what one gives, in order; what goes wrong in one of them is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from corpora.rows.row import Row
from nlp.model import read_manifest
from serving.backlog.crew import WorkerLost, WorkFailed, decided_by_processes
from serving.backlog.workers import Bench, decided_here
from tests.serving.backlog.desk import plan, tickets


@pytest.fixture
def bench(model_folder: Path) -> Bench:
    manifest = read_manifest(model_folder)
    one = plan(model=manifest["name"], model_digest=manifest["seal"])
    return Bench({"plan": one.as_dict(), "dry": False}, model_folder)


def chunks(count: int, size: int = 3) -> Iterator[tuple[int, Sequence[Row]]]:
    rows = [Row(number, tuple(cells)) for number, cells in enumerate(tickets(count * size), 2)]
    for number in range(count):
        yield number, rows[number * size : (number + 1) * size]


def children() -> list[int]:
    """The processes that this one has started and that decide."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"spawn_main" in (path.parent / "cmdline").read_bytes():
                found.append(int(path.parent.name))
        except (OSError, ValueError):
            continue
    return found


def test_two_processes_give_what_one_gives_in_order(bench: Bench) -> None:
    assert list(decided_by_processes(bench, chunks(9), 2)) == list(decided_here(bench, chunks(9)))
    assert children() == []


def test_a_killed_worker_is_told_and_the_others_go(bench: Bench) -> None:
    answers = decided_by_processes(bench, chunks(200), 2)
    next(answers)
    os.kill(children()[0], signal.SIGKILL)
    with pytest.raises(WorkerLost, match="--resume") as lost:
        list(answers)
    assert lost.value.exit_code == 1
    assert children() == []


def test_what_a_worker_cannot_do_is_told_in_its_words_with_its_exit_code(bench: Bench, tmp_path: Path) -> None:
    gone = Bench(bench.told, tmp_path / "no-model")
    with pytest.raises(WorkFailed, match="no-model") as failed:
        list(decided_by_processes(gone, chunks(1), 2))
    assert failed.value.exit_code == 2


def test_a_run_that_ends_early_leaves_no_process_behind(bench: Bench) -> None:
    answers = decided_by_processes(bench, chunks(50), 2)
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert children() == []
