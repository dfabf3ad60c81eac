"""Tables as targets: what a run writes into a database, and what its manifest tells of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpora.rows.row import Source
from serving.backlog.asked import Asked
from serving.backlog.database.apply import InPlace, in_place
from serving.backlog.database.made import table_digest
from serving.backlog.database.sink import new_table
from serving.backlog.manifest import APPLIED, NEW, file_digest
from serving.backlog.plan import Plan
from serving.backlog.target import Target

IMAGES, LEFT = ".images", ".left.csv"
"""After the name of the table: what stood there before, and the rows that were not written."""


def table_target(asked: Asked, plan: Plan, source: Source, *, overwrite: bool) -> Target:
    """The table itself, or a new one; raises `InputError`, before anything is decided, for what cannot be written."""
    if asked.in_place:
        images = asked.place.with_name(asked.place.name + IMAGES)
        sink = in_place(asked.out, plan, images)
        return Target(sink, lambda: _applied(sink, asked.place))
    made, table = new_table(asked.out, plan, source, overwrite=overwrite), plan.writing["table"]
    return Target(
        made, lambda: {"kind": NEW, "table": table, "place": made.place, "digest": table_digest(asked.out, table)}
    )


def _applied(sink: InPlace, out: Path) -> dict[str, Any]:
    """What came of a change in place; rows that were not written are listed beside the manifest."""
    changed = sink.outcome()
    left = out.with_name(out.name + LEFT)
    if changed.left:
        sink.write_left(left)
    return {
        "kind": APPLIED,
        "table": sink.table,
        "place": sink.place,
        "images": {"name": sink.images.name, "digest": file_digest(sink.images)},
        "written": changed.written,
        "left": {"rows": changed.left, "name": left.name if changed.left else ""},
    }
