"""Progress: how many rows are done, how fast, and how long it will take, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rich.progress
from rich.console import Console
from rich.text import Text

from corpora.rows.row import Source
from nlp import progress


class Rate(rich.progress.ProgressColumn):
    """Rows a second."""

    def render(self, task: rich.progress.Task) -> Text:
        """Empty until there is one."""
        return Text(f"{task.speed:,.0f} 行/秒" if task.speed else "")


class Bar:
    """Told of every chunk that is done."""

    def __init__(self, shown: rich.progress.Progress, source: Source, done: int, words: str) -> None:
        self._shown = shown
        self._source = source
        self._size = source.size() if hasattr(source, "size") else 0
        self._rows = done
        self._words = words
        self._counter = progress.Counter(words)
        self._task = shown.add_task(words, total=self._size or None, completed=done, rows=done)

    def advance(self, rows: int) -> None:
        """So many rows more are on disk."""
        self._rows += rows
        total: float = self._size
        if not total and hasattr(self._source, "share") and (share := self._source.share()) > 0:
            total = self._rows / share  # as many rows as the rest would hold like these
            self._shown.update(self._task, total=total)
        self._counter.at(self._words, self._rows, total)
        self._shown.update(self._task, completed=self._rows, rows=self._rows)


@contextmanager
def showing(source: Source, done: int, *, quiet: bool, words: str = "判定") -> Iterator[Bar]:
    """A bar while rows are decided; none with `quiet`, or where stderr is no terminal."""
    console = Console(stderr=True, quiet=quiet)
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.TextColumn("{task.fields[rows]:,} 行"),
        Rate(),
        rich.progress.TimeRemainingColumn(),
    )
    silent = quiet or not console.is_terminal
    with rich.progress.Progress(*columns, console=console, transient=True, disable=silent) as shown:
        yield Bar(shown, source, done, words)
