"""A sink: how answered rows are put on disk, first as they come, then under their final name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from serving.backlog.answers import Answered


class Sink(Protocol):
    """A format of output.

    A run appends `head` and then the bytes of every chunk, in order, to one spool file, so that it can be cut back to
    the last whole chunk after a crash; `finish` turns the spool into the output.
    """

    def head(self) -> bytes:
        """What stands before the first row."""
        ...

    def rendered(self, answered: Sequence[Answered]) -> bytes:
        """The decided rows of a chunk; made in the process that decided them."""
        ...

    def finish(self, spool: Path, out: Path) -> None:
        """Write the output whole, then give it its name; the spool is the same afterwards or gone."""
        ...
