"""Finish: a run whose chunks are all on disk becomes an output, a rejects file and a manifest under their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from corpora.rows.row import Source
from nlp.errors import JiesuError
from nlp.former import Former
from nlp.taxonomy import Taxonomy
from serving.backlog.folder import MANIFEST, OUTPUT, Begun, Folder
from serving.backlog.ledger import synced
from serving.backlog.manifest import DRY, ENDING, FILE, file_digest, signed
from serving.backlog.sink import Sink
from serving.backlog.sinks.record import TRACE, FileSink
from serving.backlog.spool import BODY, REJECTS, TRACES
from serving.backlog.tally import Tally

REJECTED, TRACED, REPORT = ".rejects.csv", ".traces", ".report"
"""After the name of the output."""


class Unbalanced(JiesuError):
    """{place}：读了 {read} 行，却只有 {found} 行有了结果；没有写出。请报告这个错误"""


@dataclass(frozen=True)
class Order:
    """What a run is to do, besides its plan.

    out: the output, or where files of that name stand if it is a table. taxonomy: the active one. report: where the
    change report goes; none where none is wanted. more: what else the manifest is to tell, asked once the output is
    made.
    """

    source: Source
    out: Path
    secret: bytes
    taxonomy: Taxonomy
    former: Former | None = None
    report: Path | None = None
    quiet: bool = False
    more: Callable[[], Mapping[str, Any]] = dict

    def beside(self, ending: str) -> Path:
        """A file beside the output."""
        return self.out.with_name(self.out.name + ending)


def finished(folder: Folder, begun: Begun, order: Order, sink: Sink | None, tally: Tally) -> dict[str, Any]:
    """Make everything that the run leaves, in the work folder; the manifest says that it is whole."""
    balanced(folder, begun, order, sink, tally)
    if order.report:
        from serving.backlog.report.writing import write_report  # noqa: PLC0415 - a second and 100 MiB, not always wanted

        write_report(order.report, tally, begun.plan, order.taxonomy, order.former)
    output = folder.path / OUTPUT
    if sink and not begun.dry:
        sink.finish(folder.path / BODY, output)
    more = {} if begun.dry else order.more()
    manifest = signed(_told(folder, begun, order, tally) | dict(more), order.secret)
    folder.keep(MANIFEST, manifest)
    return manifest


def publish(folder: Folder, begun: Begun, order: Order) -> None:
    """Give everything its name, the output last; done again after a crash, it does what was not done."""
    beside = order.report if begun.dry and order.report else None
    names = {
        OUTPUT: order.out,
        TRACES: order.beside(TRACED),
        REJECTS: beside / "rejects.csv" if beside else order.beside(REJECTED),
        MANIFEST: beside / "manifest.json" if beside else order.beside(ENDING),
    }
    for name in (TRACES, REJECTS, OUTPUT, MANIFEST):
        made = folder.path / name
        if made.exists() and not (begun.dry and name in {TRACES, OUTPUT}):
            made.replace(names[name])
    synced(order.out.parent)
    folder.remove()


def balanced(folder: Folder, begun: Begun, order: Order, sink: Sink | None, tally: Tally) -> None:
    """Raise `Unbalanced` unless every row that was read is decided, or needs a human, or was rejected."""
    found = tally.decided + tally.human + tally.rejected
    if isinstance(sink, FileSink) and not begun.dry:
        found = (folder.path / TRACES).stat().st_size // TRACE.itemsize + tally.rejected
    if tally.read != found or tally.read != tally.decided + tally.human + tally.rejected:
        raise Unbalanced(place=order.out, read=tally.read, found=found)


def _told(folder: Folder, begun: Begun, order: Order, tally: Tally) -> dict[str, Any]:
    plan = begun.plan
    return {
        "kind": DRY if begun.dry else FILE,
        "jiesu": version("jiesu"),
        "input": {"name": plan.source, "digest": plan.digest},
        "output": {} if begun.dry else _file(folder, OUTPUT, order.out),
        "rejects": _file(folder, REJECTS, order.beside(REJECTED)),
        "traces": {} if begun.dry else _file(folder, TRACES, order.beside(TRACED)),
        "report": order.report.name if order.report else "",
        "plan_id": plan.id,
        "plan": asdict(plan),
        "counts": {name: getattr(tally, name) for name in ("read", "decided", "human", "rejected", "unread")},
    }


def _file(folder: Folder, name: str, final: Path) -> dict[str, str]:
    path = folder.path / name
    return {"name": final.name, "digest": file_digest(path)} if path.exists() else {}
