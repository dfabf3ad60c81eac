"""Expiry: what the data desk keeps of tickets goes when its time is over, and what no errand knows any more.

An id is a ULID and begins with its time, so that a file of which nothing else is known has its end as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from ulid_transform import ulid_at_time, ulid_now

from serving.audit.record import Record
from serving.desk.data.folder import Folder
from serving.errands.errand import LIVE, Errand
from serving.journal.journal import Journal
from serving.settings import Settings
from serving.store.tables import errands
from serving.times import millis

DAY = 86_400_000  # milliseconds
TIME = 10  # characters of a ULID that are its time


def expire(journal: Journal, settings: Settings) -> str:
    """Remove what is to go; how many files and folders did, which is noted."""
    root, now = Folder.of(settings).root, millis(settings.now())
    found = {part: list(_inside(root / part)) for part in ("uploads", "rows", "reports", "lists", "models")}
    live, known = journal.read(_standing)  # after the look at the files: whatever is made later stays
    before = now - settings.keep_upload_days * DAY
    busy = {*live, *(str(asked.get("upload", "")) for asked in live.values())}
    kept: Mapping[str, Callable[[Path], bool]] = {
        "uploads": lambda path: _id(path) >= _first(before if _told(path) else now - DAY),
        "rows": lambda _: False,  # put together for an errand that is being done
        "reports": lambda path: _changed(path) >= before,
        "lists": lambda path: _changed(path) >= before,
        "models": lambda path: _id(path) in known or _id(path) >= _first(before),
    }
    late = [path for part, paths in found.items() for path in paths if _id(path) not in busy and not kept[part](path)]
    for path in late:
        _remove(path)
    if late:
        told = {part: str(sum(path.parent.name == part for path in late)) for part in found}
        record = Record(id=ulid_now(), at=now, actor="jiesu", action="desk.expire", detail=told)
        journal.write_now(lambda unit: unit.note(record))
    return str(len(late))


def _standing(connection: Connection) -> tuple[dict[str, Mapping[str, Any]], set[str]]:
    """What the errands that have not ended are about, and the ids of all."""
    query = select(errands).where(errands.c.state.in_(LIVE))
    live = [Errand.of(row) for row in connection.execute(query).mappings()]
    return {errand.id: errand.asked for errand in live}, set(connection.scalars(select(errands.c.id)))


def _inside(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir() if folder.is_dir() else ()


def _id(path: Path) -> str:
    """The upload or the errand that a file or a folder, or the draft of one, belongs to."""
    return path.name.lstrip(".").partition(".")[0]


def _first(at: int) -> str:
    """Every id of this time and later ones are not less."""
    return ulid_at_time(at / 1000)[:TIME]


def _told(path: Path) -> bool:
    """Whether something is known of the upload of a file: of one that was broken off nothing is."""
    return not path.name.startswith(".") and path.with_name(f"{_id(path)}.json").exists()


def _changed(path: Path) -> int:
    """When somebody last wrote to it; a list and its answers have one time."""
    both = [path, *path.parent.glob(f"{_id(path)}.*")]
    return max((round(1000 * one.stat().st_mtime) for one in both if one.exists()), default=0)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
