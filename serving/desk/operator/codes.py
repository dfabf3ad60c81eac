"""Codes: what an operator can choose, with how it is pronounced, so that a few letters find it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from nlp.taxonomy import TASKS, Label, Taxonomy


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


@lru_cache(maxsize=4096)
def readings(character: str) -> list[str]:
    """All readings of a character, the usual one first; ü also as u and v; what is no Chinese reads as itself."""
    from pypinyin import Style, pinyin  # noqa: PLC0415 - its tables take half a second, which no start need wait for

    found = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return list(dict.fromkeys(spelled for sound in found for spelled in _spelled(sound.casefold())))


def _spelled(sound: str) -> list[str]:
    """How people type a reading: 绿 as lv or lu."""
    return [sound, sound.replace("v", "u")] if sound.startswith(("lv", "nv")) else [sound]
