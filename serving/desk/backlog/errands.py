"""The errands of the backlog desk: try a change of a table, make it, take it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from serving.backlog.database.address import read_address
from serving.desk.backlog.tables import Table, Tables
from serving.errands.errand import Errand
from serving.errands.kind import Command, Kind
from serving.settings import Settings

PREVIEW, APPLY, UNDO = "preview", "apply", "undo"
REPORT = "report"


def change_of(errand: Errand) -> str:
    """The change that an errand is about: it is called by the errand that first tried it."""
    return str(errand.asked.get("change") or errand.id)


def folder_of(settings: Settings, change: str) -> Path:
    """Where the report, the manifest and the former values of a change stand; only their owner may read them."""
    return settings.home / "desk" / "tables" / change


def manifest_of(settings: Settings, errand: Errand) -> Path:
    """What tells of a change that was made, and what it takes to take it back."""
    table = _table(settings, errand)
    return folder_of(settings, change_of(errand)) / f"{table.table.replace('/', '_')}.manifest.json"


def _table(settings: Settings, errand: Errand) -> Table:
    return Tables.read(settings.tables).named(errand.name)


def _batch(settings: Settings, errand: Errand, *more: str) -> Sequence[Command]:
    """The same words for the trial and for the change, so that what the report promised is what comes."""
    table, folder = _table(settings, errand), folder_of(settings, change_of(errand))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = ["batch", table.url, table.url, *table.words, f"--beside={folder}", f"--now={errand.asked['now']}"]
    return [Command([*words, "--resume", *more])]


def _preview(settings: Settings, errand: Errand) -> Sequence[Command]:
    report = folder_of(settings, change_of(errand)) / REPORT
    return _batch(settings, errand, "--dry-run", f"--report={report}")


def _apply(settings: Settings, errand: Errand) -> Sequence[Command]:
    return _batch(settings, errand, "--apply")


def _undo(settings: Settings, errand: Errand) -> Sequence[Command]:
    url = _table(settings, errand).url
    return [Command(["undo", str(manifest_of(settings, errand)), f"--database={url}", "--drop-columns"])]


def _names(settings: Settings, errand: Errand) -> Mapping[str, str]:
    """No address and no path of this machine is told."""
    folder = folder_of(settings, change_of(errand))
    return {
        **hidden(_table(settings, errand)),
        f"；要撤销：jiesu undo {manifest_of(settings, errand)}": "",
        f"在 {folder / REPORT}，打开 change.html 看": "见下面",
        f"{folder}/": "",
        str(folder): "",
    }


def hidden(table: Table) -> Mapping[str, str]:
    """What tells where a table is, and what stands for it on the pages."""
    return {table.url: table.name, read_address(table.url).name: table.name}


KINDS: Mapping[str, Kind] = {
    PREVIEW: Kind("试运行", _preview, names=_names),
    APPLY: Kind("修改数据库的表", _apply, names=_names),
    UNDO: Kind("撤回对表的修改", _undo, names=_names),
}
