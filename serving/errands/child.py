"""The process of an errand: `jiesu` with the words it is given, which gives way to answers and ends with the service.

It is held by its standard input: when whoever has started it lets go, however that came, it ends with all that it has
started itself.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

NICE = 10
GRACE = 10.0  # seconds from being asked to end to being ended


def main() -> None:
    """Run the command; the process leads a group of its own."""
    os.nice(NICE)
    os.umask(0o077)
    held = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # the command itself has nobody to ask
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_wait, args=(held,), name="held", daemon=True).start()
    runpy.run_module("jiesu", run_name="__main__", alter_sys=True)


def _wait(held: int) -> None:
    """Until the other end is closed; nothing is ever written there."""
    while os.read(held, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.argv[0] = "jiesu"
    main()
