"""Taking back: a manifest's change undone, by the kind of it, and what came of it in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nlp.errors import InputError
from serving.backlog.asked import is_url
from serving.backlog.manifest import APPLIED, FILE, NEW, file_digest, read_manifest
from serving.backlog.undo import undo_file
from serving.secret import open_secret
from serving.settings import Settings

LISTED = ".undo.csv"


def taken_back(settings: Settings, path: Path, url: str, *, drop_columns: bool) -> str:
    """Undo what a manifest tells of; what came of it, in words. Raises `InputError`.

    url: of the database, which no manifest holds. drop_columns: of a table, those that the run added.
    """
    manifest = read_manifest(path, open_secret(settings))
    kind = manifest["kind"]
    if kind == FILE:
        return _file(path, manifest)
    if kind not in (APPLIED, NEW):
        raise InputError(place=path, reason="是试运行（--dry-run）的清单，什么也没有改，不用撤销")
    if not is_url(url):
        raise InputError(place="--database", reason=f"改的是 {manifest['place']}，请给出它的网址；清单里不存口令")
    if kind == NEW:
        return _made(url, manifest)
    return _table(path, manifest, url, drop_columns=drop_columns)


def _file(path: Path, manifest: Mapping[str, Any]) -> str:
    done = undo_file(path, manifest)
    if done.removed:
        return f"{manifest['output']['name']}：没有人改过，已经删去（{done.restored} 行）；输入没有动过"
    told = f"{manifest['output']['name']}：去掉了 {done.restored} 行的答案"
    if done.kept:
        told += f"；{done.kept} 行写出以后被改过，留着没动，列在 {done.listed}"
    return told + (f"；{done.missing} 行已经不在" if done.missing else "")


def _made(url: str, manifest: Mapping[str, Any]) -> str:
    from serving.backlog.database.made import drop_made  # noqa: PLC0415 - loads SQLAlchemy

    if not drop_made(url, manifest["table"], manifest["digest"]):
        raise InputError(place=manifest["place"], reason="写好以后被改过，没有删；确实不要，请自己删去这张表")
    return f"{manifest['place']}：是这次运行新建的，没有人改过，已经删去"


def _table(path: Path, manifest: Mapping[str, Any], url: str, *, drop_columns: bool) -> str:
    from serving.backlog.database.undo import undo_table  # noqa: PLC0415 - loads SQLAlchemy

    images = path.with_name(manifest["images"]["name"])
    if not images.exists() or file_digest(images) != manifest["images"]["digest"]:
        raise InputError(place=images, reason="不在了，或者与清单记的不同；没有它就没有原值可还原")
    left = images.with_name(images.stem + LISTED)
    done = undo_table(url, images, left, drop_columns=drop_columns)
    told = f"{manifest['place']}：还原了 {done.restored} 行"
    if done.left:
        told += f"；{done.left} 行后来又变了，留着没动，列在 {left}"
    return told + (f"；删去了列 {'、'.join(done.dropped)}" if done.dropped else "")
