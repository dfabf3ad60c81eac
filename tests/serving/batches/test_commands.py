"""The commands: list what was sent, work at it until nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from serving.batches.commands import stopping
from tests.serving.batches.conftest import Send, table
from tests.serving.conftest import Run


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    held = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGINT)}
    yield
    for kind, handler in held.items():
        signal.signal(kind, handler)


def test_batches_are_listed(run: Run, send: Send, monkeypatch: pytest.MonkeyPatch, store_url: str) -> None:
    batch = send(table(2)).json()["id"]
    monkeypatch.setenv("JIESU_STORE", store_url)
    listed = run("batches", "list", "--most", "5")
    assert listed.returncode == 0, listed.stderr
    assert batch in listed.stdout
    assert "工单.csv" in listed.stdout
    assert "waiting" in listed.stdout


def test_a_worker_without_work_ends(run: Run, monkeypatch: pytest.MonkeyPatch, store_url: str) -> None:
    monkeypatch.setenv("JIESU_STORE", store_url)
    monkeypatch.setattr(os, "nice", lambda _by: 0)  # it would stay for all tests that come after
    before = os.umask(0o022)
    try:
        assert run("batches", "work", "--until-empty").returncode == 0
    finally:
        os.umask(before)


def test_whoever_is_attached_stops_at_the_end_of_input(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as held:
        monkeypatch.setattr("sys.stdin", held)
        stop = stopping(attached=True)
        assert not stop.is_set()
        os.close(writing)
        assert stop.wait(30)
