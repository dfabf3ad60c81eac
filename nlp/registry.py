"""The registry of models, as it is read: files under the service's home say which model is in use.

    models/default/      the project's own model, in use while nothing was promoted
    models/<version>/    model folders; their names are the names in their manifests
    models/current.json  which version is in use, since when, and which were before it; replaced as a whole
    models/history.jsonl every promotion, refusal and rollback, one line each, only ever added to

Training writes these files (`training/promotion.py`), serving only reads them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.errors import RefusedModel
from nlp.model import MANIFEST, read_manifest

MODELS = "models"
CURRENT = "current.json"
HISTORY = "history.jsonl"
DEFAULT = "default"
VERSION = re.compile(r"[^\s./\\][^/\\\x00-\x1f]{0,199}")  # no path, and nothing hidden: drafts begin with a dot
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Standing:
    """Which version is in use. since: ISO 8601. previous: the versions in use before it, the latest one last."""

    name: str = DEFAULT
    since: str = ""
    previous: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """What `current.json` holds."""
        return {"name": self.name, "since": self.since, "previous": list(self.previous)}


def models_folder(home: Path) -> Path:
    """Where all versions stand."""
    return home / MODELS


def version_folder(home: Path, name: str) -> Path:
    """Where a version stands, or would stand; raises `RefusedModel` for what cannot be a name."""
    if not VERSION.fullmatch(name):
        raise RefusedModel(folder=name, reason="这不是一个版本名")
    return models_folder(home) / name


def standing(home: Path) -> Standing | None:
    """What `current.json` says, none without the file; raises `RefusedModel` when it cannot be read."""
    path = models_folder(home) / CURRENT
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        found = Standing(told["name"], told["since"], tuple(told["previous"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"读不懂（{type(error).__name__}）；请用 jiesu models promote 版本 --force --reason 原因 重新指定"
        raise RefusedModel(folder=path, reason=reason) from error
    if not all(isinstance(word, str) for word in (found.name, found.since, *found.previous)):
        raise RefusedModel(
            folder=path, reason="内容的类型不对；请用 jiesu models promote 版本 --force --reason 原因 重新指定"
        )
    return found


def current(home: Path) -> Path | None:
    """The folder of the promoted model in use; none when that is the default.

    Raises `RefusedModel` when `current.json` cannot be read, or names a version that is not there.
    """
    found = standing(home)
    if found is None or found.name == DEFAULT:
        return None
    folder = version_folder(home, found.name)
    if not (folder / MANIFEST).is_file():
        raise RefusedModel(folder=folder, reason=f"{CURRENT} 指向它，但那里没有模型；可用 jiesu models rollback 退回")
    return folder


def chosen(home: Path, named: Path | None = None) -> Path | None:
    """Which model is to be used, everywhere: the one that was named, else the promoted one; none: the default."""
    return named or current(home)


def stamp(home: Path) -> Stamp:
    """Changes whenever another model is put in use, or its manifest changes; empty while nothing was promoted."""
    path = models_folder(home) / CURRENT
    paths = [path]
    try:
        found = standing(home)
        paths += [version_folder(home, found.name) / MANIFEST] if found else []
    except RefusedModel:
        pass  # whoever reads it hears why
    return tuple(mark for mark in map(_mark, paths) if mark)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def versions(home: Path) -> dict[str, dict[str, Any]]:
    """Version → manifest, for every readable model of the registry, the default one first."""
    found: dict[str, dict[str, Any]] = {}
    for folder in sorted(models_folder(home).glob("*"), key=lambda path: (path.name != DEFAULT, path.name)):
        if not VERSION.fullmatch(folder.name) or not (folder / MANIFEST).is_file():
            continue
        try:
            found[folder.name] = read_manifest(folder)
        except RefusedModel:
            continue
    return found


def history(home: Path) -> list[dict[str, Any]]:
    """Every promotion, refusal and rollback, the oldest first; a line cut short by a power failure is passed over."""
    try:
        lines = (models_folder(home) / HISTORY).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    events: list[dict[str, Any]] = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events
