"""Stopping: a run that is asked to end does so after the chunk that it is at."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread


@contextmanager
def listening() -> Iterator[Event]:
    """An event that is set by Ctrl-C or SIGTERM; a second Ctrl-C ends the process as usual."""
    asked = Event()
    if current_thread() is not main_thread():  # nobody hears signals there
        yield asked
        return
    held = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}

    def hear(kind: int, _frame: object) -> None:
        asked.set()
        signal.signal(kind, held[signal.Signals(kind)])

    for kind in held:
        signal.signal(kind, hear)
    try:
        yield asked
    finally:
        for kind, handler in held.items():
            signal.signal(kind, handler)
