"""The other end of an errand's process: start it, hear it, end it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from nlp.progress import LINES, VARIABLE
from serving.errands.child import GRACE

MODULE = "serving.errands.child"
PLAIN = {VARIABLE: LINES, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
PIECE = 65_536  # bytes that are read at a time
LONGEST = 65_536  # bytes of a line; of a longer one the end is kept
PATIENCE = GRACE + 5  # seconds until it is ended from here


class Process:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""
        return self._process.pid

    async def lines(self) -> AsyncIterator[str]:
        """What it tells, on stdout or stderr, until it ends."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        held = b""
        while piece := await self._process.stdout.read(PIECE):
            *whole, held = (held + piece).replace(b"\r", b"\n").split(b"\n")
            held = held[-LONGEST:]
            for line in whole:
                yield line.decode(errors="replace")
        if held:
            yield held.decode(errors="replace")

    async def wait(self) -> int:
        """How it ended: its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Let go of it, and see that it ends."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def running(words: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """`jiesu` with these words, while this lasts."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            *words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, **PLAIN, **environment},
            start_new_session=True,
        )
    )
    try:
        yield process
    finally:
        await asyncio.shield(process.stop())
