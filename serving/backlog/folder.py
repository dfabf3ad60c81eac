"""The work folder of a run, beside its output: one run at a time, and everything that a later one needs to go on."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nlp.errors import InputError
from serving.backlog.ledger import synced
from serving.backlog.plan import Plan

ENDING = ".jiesu"  # after the name of the output
PLAN = "plan.json"
MANIFEST = "manifest.json"
OUTPUT = "output"
NEAT = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class Occupied(InputError):
    """{place}：另一个 jiesu batch 正在写它，等它做完，或换一个输出"""


@dataclass(frozen=True)
class Begun:
    """What a run fixed at its start. dry: whether it writes no output."""

    plan: Plan
    dry: bool


@dataclass(frozen=True)
class Folder:
    """A work folder that this process holds."""

    path: Path

    def begun(self) -> Begun | None:
        """What was begun here and is not finished; none where nothing was."""
        try:
            held = orjson.loads((self.path / PLAN).read_bytes())
            return Begun(Plan.from_dict(held["plan"]), bool(held["dry"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            reason = f"读不懂里面的 {PLAN}；用 --restart 从头做"
            raise InputError(place=self.path, reason=reason) from error

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of a run of which everything is made, and only the names are not yet given."""
        path = self.path / MANIFEST
        return dict(orjson.loads(path.read_bytes())) if path.exists() else None

    def begin(self, begun: Begun) -> None:
        """Begin anew; what was here is gone."""
        self.clear()
        self.settle(begun)

    def settle(self, begun: Begun) -> None:
        """Keep what is settled."""
        self.keep(PLAN, {"plan": begun.plan.as_dict(), "dry": begun.dry})

    def keep(self, name: str, told: Mapping[str, Any]) -> None:
        """Write a JSON file, whole or not at all."""
        draft = self.path / f".{name}"
        with draft.open("wb") as file:
            file.write(orjson.dumps(told, option=NEAT))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / name)
        synced(self.path)

    def clear(self) -> None:
        """Take everything away, the plan first: what is left without one is nobody's."""
        (self.path / PLAN).unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove(self) -> None:
        """Take the folder away, finished as the run is."""
        self.clear()
        self.path.rmdir()


@contextmanager
def holding(out: Path) -> Iterator[Folder]:
    """The work folder of an output; raises `Occupied` while another process holds it.

    A folder that was only made for the occasion, and in which nothing was begun, goes again.
    """
    path = out.with_name(out.name + ENDING)
    handle = _locked(path)
    try:
        yield Folder(path)
    finally:
        if path.exists() and not any(path.iterdir()):
            path.rmdir()
        os.close(handle)


def _locked(path: Path) -> int:
    """An open handle of the folder with a lock that ends with this process, however that ends."""
    while True:
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise InputError(place=path, reason=f"不能建立工作文件夹（{error.strerror}）") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                return handle
            os.close(handle)  # it was taken away just now by the run that held it
        except BlockingIOError as error:
            os.close(handle)
            raise Occupied(place=path.with_suffix("")) from error
