"""The keeper: `jiesu serve` keeps workers for batches beside it, in processes that give way to its answers."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from serving.settings import Settings

COMMAND = ("-m", "jiesu", "batches", "work", "--attached")
REST = 5.0  # seconds before a worker that died is replaced
GRACE = 10.0  # seconds that one may take to end
HOPELESS = 2  # the exit code for a setting, a file or a package that another start would not mend
log = logging.getLogger(__name__)


@contextmanager
def keeping(settings: Settings) -> Iterator[None]:
    """Workers run while this lasts, as many as the settings say; one that dies is replaced."""
    with ExitStack() as stack:
        for _ in range(settings.batch_workers):
            keeper = Keeper((sys.executable, *COMMAND))
            stack.callback(keeper.close)
        yield


class Keeper:
    """Keeps one process alive. It is held by a pipe: when this process is gone, however that came, it ends too."""

    def __init__(self, command: tuple[str, ...], rest: float = REST) -> None:
        self._command = command
        self._rest = rest
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._process = self._started()
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the process that runs now, or ran last."""
        return self._process.pid

    def close(self) -> None:
        """Have it end, and see that it does."""
        with self._lock:
            self._closing.set()
            _let_go(self._process)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its claim runs out, and the next one goes on
        self._thread.join()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)

    def _watch(self) -> None:
        while True:
            code = self._process.wait()
            if self._closing.is_set():
                return
            log.error("batch_worker_ended", extra={"code": code})
            if code == HOPELESS or self._closing.wait(self._rest):
                return
            with self._lock:
                if self._closing.is_set():
                    return
                _let_go(self._process)
                self._process = self._started()


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that holds it."""
    if process.stdin:
        process.stdin.close()
