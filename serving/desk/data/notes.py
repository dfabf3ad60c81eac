"""Notes: a file of JSON lines that is only ever added to; what was added is on disk before anybody hears of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson


def add(path: Path, note: Mapping[str, Any]) -> None:
    """Add a line: one write, so that several processes may add at the same time."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, orjson.dumps(note, option=orjson.OPT_APPEND_NEWLINE))
        os.fsync(file)
    finally:
        os.close(file)


def read(path: Path) -> list[dict[str, Any]]:
    """All lines, the oldest first; one that a power failure cut short is passed over."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    notes = []
    for line in lines:
        try:
            note = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(note, dict):
            notes.append(note)
    return notes
