"""Ledger: which chunks of a run are whole on disk, one line each, so that a run goes on after a crash where it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import orjson

from serving.backlog.spool import FILES, sound
from serving.backlog.tally import Tally

LEDGER = "ledger.jsonl"
LINES = 256  # after so many the ledger is written anew as one line


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands when a chunk is done.

    chunks, rows: done from the beginning on. sizes, checks: of each file of the spool, and its CRC-32.
    tally: what this line adds to the lines before it.
    """

    chunks: int
    rows: int
    sizes: Mapping[str, int]
    checks: Mapping[str, int]
    tally: Tally


class Ledger:
    """The ledger of a work folder, written anew in one line when it is opened; tally: of all chunks together."""

    def __init__(self, folder: Path, entry: Entry) -> None:
        self.tally = entry.tally
        self.last = entry
        self._folder = folder
        self._lines = 1
        self._file = self._folded()

    def add(self, entry: Entry) -> None:
        """Note a chunk whose bytes are on disk already."""
        self.tally = self.tally.merged(entry.tally)
        self.last = replace(entry, tally=thinned(entry.tally, self.tally))
        self._lines += 1
        if self._lines > LINES:
            self._file.close()
            self._lines, self._file = 1, self._folded()
        else:
            self._file.write(_line(self.last))
            _settle(self._file)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _folded(self) -> BinaryIO:
        """One line in place of all, so that the ledger stays small however long the run is; open for the next."""
        draft = self._folder / f".{LEDGER}"
        with draft.open("wb") as file:
            file.write(_line(replace(self.last, tally=self.tally)))
            _settle(file)
        draft.replace(self._folder / LEDGER)
        synced(self._folder)
        return (self._folder / LEDGER).open("ab")


def last_entry(folder: Path) -> Entry | None:
    """Where a run stands: the last chunk that the ledger tells of and the spool bears out, with the tally of all."""
    entries = told(folder)
    good = len(entries)
    for name in FILES:
        path = folder / name
        marks = [(entry.sizes[name], entry.checks[name]) for entry in entries]
        good = min(good, sound(path, marks)) if path.exists() else 0
    if not good:
        return None
    return replace(entries[good - 1], tally=Tally.total(entry.tally for entry in entries[:good]))


def told(folder: Path) -> list[Entry]:
    """The lines of a ledger up to the first that is torn; none where there is no ledger."""
    path = folder / LEDGER
    found: list[Entry] = []
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
        try:
            held = orjson.loads(line)
            found.append(Entry(**held | {"tally": Tally.from_dict(held["tally"])}))
        except (orjson.JSONDecodeError, TypeError, KeyError):
            break
    return found


def thinned(tally: Tally, whole: Tally) -> Tally:
    """A chunk's tally without the rows of its sample that are not in that of the whole, of which it is a part."""
    held = {one.rank for one in (*whole.sample, *whole.kept)}
    sample, kept = (tuple(one for one in some if one.rank in held) for some in (tally.sample, tally.kept))
    return replace(tally, sample=sample, kept=kept)


def synced(folder: Path) -> None:
    """Names that were given in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(entry: Entry) -> bytes:
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)  # it knows dataclasses, and is quicker than `asdict`


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
