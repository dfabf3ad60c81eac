"""A signal asks a run to end; afterwards signals mean what they meant before."""

from __future__ import annotations

import os
import signal
from threading import Event, Thread

import pytest

from serving.backlog.stopping import listening


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_and_the_handlers_come_back(kind: signal.Signals) -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with listening() as asked:
        assert not asked.is_set()
        os.kill(os.getpid(), kind)
        assert asked.wait(5)
    assert {one: signal.getsignal(one) for one in before} == before


def test_a_second_ctrl_c_ends_at_once() -> None:
    def interrupted() -> None:
        with listening() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert asked.wait(5)
            os.kill(os.getpid(), signal.SIGINT)
            Event().wait(5)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores Ctrl-C
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nobody_listens() -> None:
    found: list[bool] = []

    def work() -> None:
        with listening() as asked:
            found.append(asked.is_set())

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
