"""Telling: what a command says becomes progress and lines that people may read."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping

from nlp.progress import heard
from nlp.reader import Reader
from serving.errands.queue import Told

KEPT = 200  # lines
LONGEST = 600  # characters of a line
MARGIN = 64  # characters that are read beyond, and dropped: a number that the cut goes through is none for the mask


class Telling:
    """Hears a command; nothing that it quotes of a petition is kept unmasked.

    names: what stands for what, like the name of a file for its path.
    """

    def __init__(self, reader: Reader, names: Mapping[str, str]) -> None:
        self._reader = reader
        self._names = sorted(names.items(), key=lambda pair: -len(pair[0]))
        self._said: deque[str] = deque(maxlen=KEPT)
        self._step = ""
        self._part: float | None = None

    @property
    def told(self) -> Told:
        """How far it is."""
        return Told(self._step, self._part, tuple(self._said))

    async def listen(self, lines: AsyncIterator[str]) -> None:
        """Hear all lines."""
        async for line in lines:
            self.hear(line)

    def hear(self, line: str) -> None:
        """One line."""
        progress = heard(line)
        if progress:
            self._step, self._part = self._plain(progress.step), progress.part
        elif line.strip():
            self._said.append(self._plain(line.rstrip()))

    def _plain(self, line: str) -> str:
        for hidden, shown in self._names:
            line = line.replace(hidden, shown)
        begun = line[: LONGEST + MARGIN]
        plain = self._reader.fields(["", begun]).masked(1)
        return (plain if begun == line else plain[:-MARGIN])[:LONGEST]
