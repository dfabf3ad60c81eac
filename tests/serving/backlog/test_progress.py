"""The bar knows what there is to know, and says nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rich.progress

from corpora.rows.row import Row
from nlp.progress import VARIABLE, Progress, heard
from serving.backlog.progress import Bar, Rate, showing


class Table:
    """A source that tells how much of it is read, or how long it is."""

    name, columns = "t", ("a",)

    def __init__(self, size: int = 0, share: float = 0.0) -> None:
        self._size, self._share = size, share

    def rows(self) -> Iterator[Row]:
        return iter(())

    def digest(self) -> str:
        return ""

    def size(self) -> int:
        return self._size

    def share(self) -> float:
        return self._share


@pytest.mark.parametrize(("table", "total"), [(Table(size=400), 400), (Table(share=0.25), 400), (Table(), None)])
def test_how_many_rows_there_will_be(table: Table, total: int | None) -> None:
    shown = rich.progress.Progress(disable=True)
    bar = Bar(shown, table, 0, "判定")
    bar.advance(100)
    (task,) = shown.tasks
    assert (task.total, task.completed) == (total, 100)


def test_it_goes_on_from_what_was_done_before() -> None:
    shown = rich.progress.Progress(disable=True)
    Bar(shown, Table(size=400), 300, "判定").advance(50)
    (task,) = shown.tasks
    assert task.completed == 350
    assert str(Rate().render(task)) == ""


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_written_where_there_is_no_terminal(quiet: bool, capfd: pytest.CaptureFixture[str]) -> None:
    with showing(Table(size=4), 0, quiet=quiet) as bar:
        bar.advance(4)
    assert capfd.readouterr() == ("", "")


def test_lines_are_written_for_whoever_reads_them(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "lines")
    with showing(Table(share=0.5), 0, quiet=False, words="判定") as bar:
        bar.advance(100)
    told = [heard(line) for line in capfd.readouterr().err.splitlines()]
    assert told == [Progress("判定"), Progress("判定", 100, 200)]
