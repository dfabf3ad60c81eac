"""Codes: what an operator can choose, with how it is pronounced, so that a few letters find it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from nlp.files import read_lines
from nlp.taxonomy import TASKS, Label, Taxonomy

READINGS = Path(__file__).with_name("readings.txt")


@dataclass(frozen=True, slots=True)
class Code:
    """A code. path: the names above it; sounds: for each character of the name its readings in toneless pinyin."""

    code: str
    name: str
    path: list[str]
    sounds: list[list[str]]


@lru_cache(maxsize=4)
def codes(taxonomy: Taxonomy) -> dict[str, list[Code]]:
    """Task → its codes, in the order of the taxonomy."""
    paths = taxonomy.paths
    return {task: [_code(label, paths.get(label.code, [])) for label in taxonomy.labels(task)] for task in TASKS}


def _code(label: Label, path: list[str]) -> Code:
    return Code(label.code, label.name, path[:-1], [readings(character) for character in label.name])


def readings(character: str) -> list[str]:
    """All readings of a character, also as people type ü; what is no Chinese reads as itself."""
    return _table().get(character, [character.casefold()])


@cache
def _table() -> dict[str, list[str]]:
    """Character → its readings: 20,000 of them, read once, when the first page asks."""
    table: dict[str, list[str]] = {}
    for line in read_lines(READINGS):
        reading, characters = line.split(" ")
        typed = [reading, reading.replace("v", "u")] if "v" in reading else [reading]
        for character in characters:
            table.setdefault(character, []).extend(typed)
    return table
