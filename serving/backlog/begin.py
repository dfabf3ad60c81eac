"""Begin: the plan of a run from settings and options, against what was begun or finished here before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from corpora.default import default_folder, is_current
from corpora.rows.row import Source
from nlp.errors import InputError, UnknownProfile
from nlp.model import read_manifest
from nlp.registry import chosen
from nlp.route.rulebase import Shelf
from serving.backlog.finish import Order
from serving.backlog.folder import Begun, Folder
from serving.backlog.manifest import ENDING, file_digest
from serving.backlog.manifest import read_manifest as read_signed
from serving.backlog.plan import Plan
from serving.backlog.rules import rules_digest
from serving.default import fit_default
from serving.settings import Settings

CHUNK = 1000  # rows: a worker has one decided in a fraction of a second, and that much is lost when it is killed
"""How many rows are decided at a time, where nobody says otherwise."""


class Unfinished(InputError):
    """{place}：上次没有做完；加 --resume 接着做，或加 --restart 从头做"""


class Different(InputError):
    """{place}：这次与上次没有做完的不同（{what}），不能接着做；改回来，或加 --restart 从头做"""


class Existing(InputError):
    """{place}：已经有了，不会覆盖；换一个名字，或加 --overwrite"""


@dataclass(frozen=True)
class Wish:
    """What somebody wants of an output that may be there, or half made. now: empty where nobody said."""

    now: str = ""
    dry: bool = False
    resume: bool = False
    restart: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Means:
    """What decides. folder: the model's. roles: of the columns. reading, writing: see `Plan`."""

    settings: Settings
    folder: Path
    roles: Mapping[str, tuple[str, ...]]
    high: bool = False
    chunk: int = CHUNK
    reading: Mapping[str, str] = field(default_factory=dict)
    writing: Mapping[str, str] = field(default_factory=dict)


def model_folder(settings: Settings, named: Path | None) -> Path:
    """Where the model stands that `open_model` would load; the default one is fitted where it is not there yet."""
    found = chosen(settings.home, named or settings.model)
    if found is None:
        found = default_folder(settings.home)
        if not is_current(found):
            fit_default(found)
    return found


def check_profile(settings: Settings) -> None:
    """Raise `UnknownProfile` before anything is begun."""
    known = [name for name, _, _ in Shelf(settings.rules).files("profiles", ".toml")]
    if settings.profile not in known:
        raise UnknownProfile(name=settings.profile, known="、".join(known))


def planned(source: Source, means: Means, now: str) -> Plan:
    """The plan, without former labels."""
    manifest = read_manifest(means.folder)
    return Plan(
        source=source.name,
        digest=source.digest(),
        columns=tuple(source.columns),
        roles=dict(means.roles),
        now=now,
        profile=means.settings.profile,
        model=manifest["name"],
        model_digest=str(manifest.get("seal", "")),
        taxonomy=manifest["taxonomy"],
        rules=rules_digest(means.settings.rules),
        high=means.high,
        chunk=means.chunk,
        reading=dict(means.reading),
        writing=dict(means.writing),
    )


def begun(
    folder: Folder, wish: Wish, out: Path | None, plan: Callable[[str], Plan], present: Callable[[], datetime]
) -> Begun:
    """What is to be done in a folder: what was begun there, or something new, which is begun now.

    out: a file to be written. plan: makes the plan for a moment. Raises `Unfinished`, `Different` or `Existing`.
    """
    held = None if wish.restart else folder.begun()
    if held is None:
        if out and out.exists() and not (wish.overwrite or wish.dry):
            raise Existing(place=out)
        new = Begun(plan(wish.now or present().isoformat(timespec="seconds")), wish.dry)
        folder.begin(new)
        return new
    if not wish.resume:
        raise Unfinished(place=folder.path)
    mine = plan(wish.now or held.plan.now)
    other = replace(mine, former=held.plan.former).unlike(held.plan) + (["--dry-run"] if wish.dry != held.dry else [])
    if other:
        raise Different(place=folder.path, what="、".join(other))
    return held


def already(order: Order, wish: Wish, plan: Callable[[str], Plan]) -> dict[str, Any] | None:
    """The manifest of the same run, if it is finished and its output is as it was; none where there is none."""
    path = order.report / "manifest.json" if wish.dry and order.report else order.beside(ENDING)
    if not path.exists() or (not wish.dry and not order.out.exists()):
        return None
    manifest = read_signed(path, order.secret)
    held = Plan.from_dict(manifest["plan"])
    mine = plan(wish.now or held.now)
    same = not replace(mine, former=held.former).unlike(held) and (manifest["kind"] == "dry-run") == wish.dry
    whole = wish.dry or manifest["output"].get("digest") == file_digest(order.out)
    return manifest if same and whole else None
