"""Spool: the files that a run adds to chunk by chunk, and that are cut back to the last whole chunk after a crash."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from zlib import crc32

BODY, REJECTS, TRACES = "spool", "rejects", "traces"
FILES = (BODY, REJECTS, TRACES)
PORTION = 1 << 20  # bytes read at a time when they are checked


class Spool:
    """The files of a run, open to be added to, with their sizes and running CRC-32.

    sizes, checks: of each file; what is on disk beyond the sizes is cut off.
    """

    def __init__(self, folder: Path, sizes: Mapping[str, int], checks: Mapping[str, int]) -> None:
        self.sizes = {name: sizes.get(name, 0) for name in FILES}
        self.checks = {name: checks.get(name, 0) for name in FILES}
        self._stack = ExitStack()
        self._files = {name: self._stack.enter_context((folder / name).open("ab")) for name in FILES}
        for name, file in self._files.items():
            file.truncate(self.sizes[name])

    def add(self, parts: Mapping[str, bytes]) -> None:
        """Add what a chunk gives, and do not return before it is on disk."""
        for name, part in parts.items():
            if part:
                self._files[name].write(part)
                self.sizes[name] += len(part)
                self.checks[name] = crc32(part, self.checks[name])
        for name in [name for name, part in parts.items() if part]:
            self._files[name].flush()
            os.fsync(self._files[name].fileno())

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def sound(path: Path, marks: Sequence[tuple[int, int]]) -> int:
    """How many of the marks (size, CRC-32 up to there), in their order, a file bears out."""
    check = at = 0
    with path.open("rb") as file:
        for number, (size, told) in enumerate(marks):
            while at < size and (part := file.read(min(PORTION, size - at))):
                check, at = crc32(part, check), at + len(part)
            if at != size or check != told:
                return number
    return len(marks)
