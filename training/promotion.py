"""Promotion: a model comes into the registry, is compared with the one in use, and takes its place or does not."""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from nlp.errors import InputError, RefusedModel
from nlp.model import MANIFEST, Model, load, read_manifest
from nlp.registry import CURRENT, DEFAULT, HISTORY, Standing, models_folder, standing, version_folder
from training.dataset import Dataset
from training.gates import LIMITS, Comparison, Limits, compare

LOCK = ".lock"
SPARE = 64 * 1024 * 1024  # bytes that stay free on the disk
LEAST_REASON = 4  # characters
Open = Callable[[Path], Model]


class NotPromoted(InputError):
    """模型 {model} 没有换上，在用的仍是 {champion}。没有通过：
    {failed}
    """


@dataclass(frozen=True)
class Wish:
    """What is to be promoted: a model folder or a version of the registry; by force only with a reason."""

    model: str
    force: bool = False
    reason: str = ""

    def check(self) -> None:
        """Raise `InputError` for force without a reason."""
        if self.force and len(self.reason.strip()) < LEAST_REASON:
            raise InputError(place="--force", reason=f"须用 --reason 说明原因（至少 {LEAST_REASON} 个字）")


def now() -> str:
    """The present, with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True)
class Outcome:
    """What came of it, and when. comparison: none where no test set stood and the promotion was forced."""

    event: str
    model: str
    champion: str
    comparison: Comparison | None = None
    at: str = field(default_factory=now)

    def raise_refused(self) -> None:
        """Raise `NotPromoted` with the gates that failed, one a line, if the model was refused."""
        if self.event == "refused" and self.comparison:
            failed = "\n".join(f"  {gate.told}" for gate in self.comparison.failed)
            raise NotPromoted(model=self.model, champion=self.champion, failed=failed)


@contextmanager
def locked(home: Path, told: Callable[[], None]) -> Iterator[None]:
    """One change of the registry at a time; `told` is called before waiting for another one to end."""
    models_folder(home).mkdir(parents=True, exist_ok=True)
    with (models_folder(home) / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def promote(
    home: Path, wish: Wish, test: Callable[[], Dataset], open_default: Callable[[], Model], limits: Limits = LIMITS
) -> Outcome:
    """Compare a model with the one in use and put it in its place, or refuse it; either is recorded.

    test: gives the test set, or raises. open_default: the default model, the champion while nothing was promoted.
    Raises `InputError` and `RefusedModel`; call it under `locked`.
    """
    wish.check()
    before = _standing(home, forced=wish.force)
    name = entered(home, wish.model)
    if name == before.name:
        raise InputError(place=name, reason="这个模型已经在用")
    challenger = load(version_folder(home, name))
    comparison = _compared(home, before.name, challenger, wish, test, open_default, limits)
    refused = bool(comparison and comparison.failed and not wish.force)
    outcome = Outcome("refused" if refused else "promoted", name, before.name, comparison)
    if not refused:
        put_in_use(home, Standing(name, outcome.at, (*before.previous, before.name)))
    record(home, outcome, forced=wish.force, reason=wish.reason)
    return outcome


def _standing(home: Path, *, forced: bool) -> Standing:
    """What is in use; by force a file that cannot be read is passed over."""
    try:
        return standing(home) or Standing()
    except RefusedModel:
        if not forced:
            raise
        return Standing()


def _compared(
    home: Path, champion: str, challenger: Model, wish: Wish, test: Callable[[], Dataset],
    open_default: Callable[[], Model], limits: Limits,
) -> Comparison | None:  # fmt: skip
    """The comparison; none where a forced promotion cannot be measured, for want of a test set or of a champion."""
    try:
        dataset = test()
        held = open_default() if champion == DEFAULT else load(version_folder(home, champion))
    except (InputError, RefusedModel):
        if not wish.force:
            raise
        return None
    return compare(held, challenger, dataset, limits)


def entered(home: Path, wanted: str) -> str:
    """The version under which a model stands in the registry; a folder from elsewhere is copied there first.

    Raises `InputError` when there is no such model or no room for it, `RefusedModel` when it cannot be used.
    """
    folder = Path(wanted)
    if folder.name == wanted and (models_folder(home) / wanted / MANIFEST).is_file():
        return wanted
    if not folder.is_dir():
        raise InputError(place=wanted, reason="既不是模型文件夹，也不是登记过的版本；用 jiesu models list 看有哪些")
    if folder.resolve().parent == models_folder(home).resolve() and not folder.name.startswith("."):
        return folder.resolve().name
    manifest = read_manifest(folder)
    name = str(manifest.get("name") or "")
    target = version_folder(home, name)
    if name == DEFAULT:
        raise RefusedModel(folder=folder, reason=f"它的名字 {DEFAULT} 留给自带的默认模型")
    if not target.exists():
        _copied(folder, target)
    elif read_manifest(target).get("seal") != manifest.get("seal"):
        raise RefusedModel(folder=folder, reason=f"登记过同名而内容不同的 {name}；请换一个文件夹名重新训练")
    return name


def _copied(folder: Path, target: Path) -> None:
    """Copy a model whole: it becomes visible only after it was read and found in order."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(target.parent).free
    if free < size + SPARE:
        reason = f"磁盘空间不够：模型 {size / 1e6:.0f} MB，另须留 {SPARE / 1e6:.0f} MB，只剩 {free / 1e6:.0f} MB"
        raise InputError(place=target.parent, reason=reason)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # a service account must be able to read it
        load(draft)
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def rollback(home: Path, reason: str, open_default: Callable[[], Model]) -> Outcome:
    """Put the version before the present one in use again, at once; a second time the one before that.

    Versions that can no longer be read are passed over. Raises `InputError` when there is none to go back to.
    """
    before = standing(home) or Standing()
    left = list(before.previous)
    while left:
        name = left.pop()
        if name == before.name or not _usable(home, name, open_default):
            continue
        outcome = Outcome("rolled_back", name, before.name)
        put_in_use(home, Standing(name, outcome.at, tuple(left)))
        record(home, outcome, forced=False, reason=reason)
        return outcome
    raise InputError(place=f"在用的模型 {before.name}", reason="没有更早的、还能用的版本可以退回")


def _usable(home: Path, name: str, open_default: Callable[[], Model]) -> bool:
    try:
        if name == DEFAULT:
            open_default()
        else:
            load(version_folder(home, name))
    except (RefusedModel, OSError):
        return False
    return True


def put_in_use(home: Path, then: Standing) -> None:
    """Replace `current.json` as a whole, on the disk before anybody sees it."""
    path = models_folder(home) / CURRENT
    draft = path.with_name(f".{CURRENT}-{os.getpid()}")
    with draft.open("wb") as file:
        file.write(orjson.dumps(then.as_dict(), option=orjson.OPT_INDENT_2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def record(home: Path, outcome: Outcome, *, forced: bool, reason: str) -> None:
    """Add what happened to the history, as one line."""
    event: dict[str, Any] = {
        "time": outcome.at,
        "event": outcome.event,
        "model": outcome.model,
        "champion": outcome.champion,
        "who": who(),
        "forced": forced,
        "reason": reason,
        "comparison": outcome.comparison.as_dict() if outcome.comparison else None,
    }
    with (models_folder(home) / HISTORY).open("ab+") as file:
        cut = file.tell() and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        file.write(b"\n" * cut + orjson.dumps(event) + b"\n")  # a line that a power failure cut short stays alone
        file.flush()
        os.fsync(file.fileno())


def who() -> str:
    """The user of the operating system, by number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
