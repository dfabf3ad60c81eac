"""The keeper: its process lives while it does, is replaced when it dies, and ends with it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from serving.batches.keeper import HOPELESS, Keeper, keeping
from serving.settings import Settings

WAITS = (sys.executable, "-c", "import sys; sys.stdin.read()")


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_who_dies_is_replaced_and_who_is_let_go_ends() -> None:
    keeper = Keeper(WAITS, rest=0.01)
    first = keeper.pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: keeper.pid != first)
    second = keeper.pid
    assert alive(second)
    keeper.close()
    assert not alive(second)


def test_what_is_hopeless_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper((sys.executable, "-c", f"raise SystemExit({HOPELESS})"), rest=0.01)
    wait_for(lambda: any(record.getMessage() == "batch_worker_ended" for record in caplog.records))
    first = keeper.pid
    keeper.close()
    assert keeper.pid == first


def test_none_may_be_wanted() -> None:
    with keeping(Settings(batch_workers=0)):
        pass
