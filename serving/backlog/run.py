"""A run: chunks decided and put on disk one after the other, then the output under its name, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from threading import Event
from typing import Any

from corpora.rows.row import Row, Source
from nlp.errors import JiesuError
from serving.backlog import rejects
from serving.backlog.finish import Order, finished, publish
from serving.backlog.folder import OUTPUT, Begun, Folder
from serving.backlog.ledger import Entry, Ledger, last_entry
from serving.backlog.progress import showing
from serving.backlog.sink import Sink
from serving.backlog.spool import BODY, REJECTS, Spool
from serving.backlog.stopping import listening
from serving.backlog.tally import Tally
from serving.backlog.work import Done

Engine = Callable[[Iterable[tuple[int, Sequence[Row]]]], Generator[tuple[int, bytes], None, None]]
"""Chunks with their numbers → packed `Done` with their numbers, in the same order."""


class Stopped(JiesuError):
    """{place}：收到停止的信号，已做完 {rows} 行；用同样的命令加 --resume 接着做"""


def run(folder: Folder, begun: Begun, order: Order, sink: Sink | None, engine: Engine) -> dict[str, Any]:
    """Do what was begun in a folder, or the rest of it, and return the manifest; raises `Stopped` when asked to end.

    sink: only a dry run needs none.
    """
    manifest = folder.manifest()
    if manifest is None:
        recover(folder)
        tally = _decided(folder, begun, order, sink, engine)
        manifest = finished(folder, begun, order, sink, tally)
    publish(folder, begun, order)
    return manifest


def recover(folder: Folder) -> None:
    """An output that was nearly finished is a spool again; one that is made of a spool is made again."""
    output, spool = folder.path / OUTPUT, folder.path / BODY
    if output.exists() and not spool.exists():
        output.replace(spool)
    output.unlink(missing_ok=True)


def chunks(source: Source, size: int, first: Entry) -> Iterator[tuple[int, list[Row]]]:
    """The chunks of a source that come after an entry of the ledger."""
    rows = islice(source.rows(), first.rows, None)
    number = first.chunks
    while chunk := list(islice(rows, size)):
        yield number, chunk
        number += 1


def _decided(folder: Folder, begun: Begun, order: Order, sink: Sink | None, engine: Engine) -> Tally:
    """Decide what is not decided yet; the tally of all."""
    entry = last_entry(folder.path)
    first = entry or Entry(0, 0, {}, {}, Tally())
    with Spool(folder.path, first.sizes, first.checks) as spool, listening() as asked:
        if entry is None:
            spool.add({BODY: sink.head() if sink and not begun.dry else b"", REJECTS: rejects.head()})
            first = Entry(0, 0, dict(spool.sizes), dict(spool.checks), first.tally)
        ledger = Ledger(folder.path, first)
        answers = engine(chunks(order.source, begun.plan.chunk, first))
        try:
            with closing(answers), showing(order.source, first.rows, quiet=order.quiet) as bar:
                for number, raw in answers:
                    done = Done.unpacked(raw)
                    record(spool, ledger, number, done)
                    bar.advance(done.rows)
                    _go_on(asked, order, ledger)
        finally:
            ledger.close()
    return ledger.tally


def record(spool: Spool, ledger: Ledger, number: int, done: Done) -> None:
    """Put a chunk on disk, and only then into the ledger."""
    spool.add(done.parts)
    rows = ledger.last.rows + done.rows
    ledger.add(Entry(number + 1, rows, dict(spool.sizes), dict(spool.checks), done.tally))


def _go_on(asked: Event, order: Order, ledger: Ledger) -> None:
    if asked.is_set():
        raise Stopped(place=order.out, rows=ledger.last.rows)
