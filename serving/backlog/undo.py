"""Undo: a file's answers taken away again, from every row that is as the run wrote it; the rest is listed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.rows.open import open_rows
from corpora.rows.row import Row
from nlp.errors import InputError
from serving.backlog.answers import COLUMNS
from serving.backlog.finish import TRACED
from serving.backlog.folder import holding
from serving.backlog.manifest import file_digest
from serving.backlog.plan import Plan
from serving.backlog.sinks.open import open_sink
from serving.backlog.sinks.record import KEY, TRACE, FileSink, Record, traces
from serving.draft import drafted

LISTED = ".undo.csv"  # after the name of the output
HEADINGS = ("行号", "工作表", "列", "原因")
SEVERAL = "（不止一列）"
PORTION = 1000  # rows at a time


@dataclass(frozen=True)
class Undone:
    """What came of it.

    restored: rows without answers now. kept: rows that somebody changed. missing: rows that are gone.
    removed: whether the whole file is, since nobody had changed it. listed: where the kept rows are told, if any are.
    """

    restored: int
    kept: int = 0
    missing: int = 0
    removed: bool = False
    listed: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the output as it stands.

    changed: the column, empty where it is as the run wrote it. done: whether it has no answers.
    """

    record: Record
    changed: str
    done: bool


def undo_file(path: Path, manifest: Mapping[str, Any]) -> Undone:
    """Take back what a manifest beside its output tells of; the input is never touched. Raises `InputError`."""
    out = path.with_name(manifest["output"]["name"])
    with holding(out):
        if not out.exists():
            raise InputError(place=out, reason="不在了：已经撤销过，或者被移走了")
        rows = manifest["counts"]["decided"] + manifest["counts"]["human"]
        if file_digest(out) == manifest["output"]["digest"]:
            return _removed(out, rows)
        return _row_by_row(out, Written(out, manifest), rows)


def _removed(out: Path, rows: int) -> Undone:
    """Before the run there was no such file."""
    out.unlink()
    out.with_name(out.name + TRACED).unlink(missing_ok=True)
    return Undone(rows, removed=True)


def _row_by_row(out: Path, written: Written, rows: int) -> Undone:
    restored = kept = done = 0
    listed = out.with_name(out.name + LISTED)
    draft = out.with_name(f".{out.name}.spool")
    try:
        with draft.open("wb") as spool, drafted(listed) as listing:
            spool.write(written.sink.head())
            listing.write(b"\xef\xbb\xbf" + _lines([HEADINGS]))
            for part in written.parts():
                changed = [one for one in part if one.changed]
                kept, done = kept + len(changed), done + sum(one.done for one in part)
                restored += sum(not one.done and not one.changed for one in part)
                spool.write(written.sink.written([written.emptied(one) for one in part]))
                listing.write(_lines([_told(one) for one in changed]))
        if restored == rows and not kept and not done and not written.wider:
            listed.unlink()
            return _removed(out, rows)
        _replaced(written.sink, draft, out)
    finally:
        draft.unlink(missing_ok=True)
    if not kept:
        listed.unlink()
    return Undone(restored, kept, max(0, rows - restored - kept - done), listed=listed if kept else None)


def _told(one: Found) -> tuple[object, ...]:
    return one.record.number, one.record.sheet, one.changed, "写出以后被改过"


def _replaced(sink: FileSink, spool: Path, out: Path) -> None:
    """Through a draft, so that the output is the old or the new one."""
    draft = out.with_name(f".{out.name}.draft{out.suffix}")
    try:
        sink.finish(spool, draft)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


class Written:
    """An output as it stands now, against what the run wrote.

    wider: whether somebody has added columns, which are kept.
    """

    def __init__(self, out: Path, manifest: Mapping[str, Any]) -> None:
        plan = Plan.from_dict(manifest["plan"])
        self._source = open_rows(out, encoding=plan.writing.get("encoding", ""), delimiter=",")
        sink = open_sink(plan)
        if not isinstance(sink, FileSink):
            raise InputError(place=out, reason="不是文件，不能这样撤销")
        self.sink = sink
        self._names = sink.names
        self._traces = _read_traces(out, manifest)
        columns = tuple(self._source.columns)
        if columns[: len(self._names)] != self._names:
            raise InputError(place=out, reason="列被删去、改名或换了位置，认不出原来的行；请恢复各列以后再撤销")
        self.wider = columns != self._names
        sink.further = columns[len(self._names) :]

    def parts(self) -> Iterator[list[Found]]:
        """All rows, so many at a time."""
        rows = self._source.rows()
        while part := list(islice(rows, PORTION)):
            unread = next((row for row in part if row.reason), None)
            if unread:
                raise InputError(place=f"{self._source.name} 第 {unread.number} 行", reason=unread.reason)
            yield self._found([self._record(row) for row in part])

    def emptied(self, one: Found) -> Record:
        """The record as it is to stand: its answers gone, unless it was changed."""
        if one.changed:
            return one.record
        width = len(self._names)
        cells = [*one.record.cells]
        cells[width - len(COLUMNS) : width] = [None] * len(COLUMNS)
        return Record(one.record.number, one.record.sheet, cells)

    def _record(self, row: Row) -> Record:
        cells = [*row.cells, *[None] * (len(self._source.columns) - len(row.cells))]
        return Record(row.number, row.sheet, cells)

    def _found(self, records: Sequence[Record]) -> list[Found]:
        width = len(self._names)
        mine = traces([Record(one.number, one.sheet, one.cells[:width]) for one in records], width + KEY)
        at = np.searchsorted(self._traces["key"], mine["key"])
        held = self._traces[np.minimum(at, len(self._traces) - 1)] if len(self._traces) else np.zeros_like(mine)
        return [
            Found(record, *self._state(record, was, now)) for record, was, now in zip(records, held, mine, strict=True)
        ]

    def _state(self, record: Record, was: NDArray[np.void], now: NDArray[np.void]) -> tuple[str, bool]:
        """The column that is not as it was, empty where all are; and whether the answers are gone already."""
        width = len(self._names)
        if not any(record.cells[width - len(COLUMNS) : width]):
            return "", True
        if now["key"] != was["key"]:
            return self._names[width + KEY], False
        change, weighted = (int(now[name]) - int(was[name]) for name in ("sum", "weighted"))
        return (located(change, weighted, self._names) if change or weighted else ""), False


def located(change: int, weighted: int, names: Sequence[str]) -> str:
    """The one column whose change makes the sum and the weighted sum differ by so much, or that there are several."""
    place = weighted // change if change else 0
    return names[place - 1] if 1 <= place <= len(names) and place * change == weighted else SEVERAL


def _read_traces(out: Path, manifest: Mapping[str, Any]) -> NDArray[np.void]:
    """The traces of what the run wrote, sorted by their keys."""
    path = out.with_name(manifest["traces"]["name"])
    if not path.exists() or file_digest(path) != manifest["traces"]["digest"]:
        raise InputError(place=path, reason="不在了或被改过；没有它，改过的文件认不出哪些行没有动过")
    found = np.fromfile(path, TRACE)
    return found[np.argsort(found["key"], kind="stable")]


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue().encode("utf-8", "backslashreplace")
