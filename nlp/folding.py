"""The table that folds single code points: NFKC, simplified, lower case, no accents, no controls."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_lines
from nlp.text import REPLACEMENT, code_points

SIZE = 0x110000
# Planes 0 and 1, compatibility ideographs, tags and selectors: all that any of the foldings changes.
CHANGING = (range(0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE1000))
ODD = frozenset({"Cc", "Cf", "Mn", "Me", "Cs"})  # controls, formats, marks that combine, surrogates
ALONE = 0x20  # a blank stands for every kind of white space


@dataclass(frozen=True)
class Folding:
    """For each code point how many stand in its place, which, and what kind of mark they are.

    width: (SIZE,) number of code points that replace it, 0 to drop it.
    first: (SIZE,) the first of them.
    rest: the whole replacement of those with more than one.
    mark: (SIZE,) true for blanks, punctuation and symbols, whose repetition says nothing.
    """

    width: NDArray[np.uint8]
    first: NDArray[np.uint32]
    rest: dict[int, NDArray[np.uint32]]
    mark: NDArray[np.bool_]


def simplified() -> dict[str, str]:
    """Traditional → simplified characters, chains resolved."""
    pairs = {line[0]: line[1] for line in read_lines(DATA / "simplified.txt")}
    return {key: pairs.get(value, value) for key, value in pairs.items()}


def fold_character(character: str, pairs: dict[str, str]) -> str:
    """What one character becomes: a fixed point, so that folding twice changes nothing."""
    category = unicodedata.category(character)
    if character.isspace() or category in ("Zs", "Zl", "Zp"):
        return " "
    if category == "Cs":
        return REPLACEMENT
    if category in ODD:
        return ""
    folded = _without_accents(unicodedata.normalize("NFKC", character))
    folded = "".join(pairs.get(c, c) for c in folded).lower()
    return folded if folded == character else "".join(fold_character(c, pairs) for c in folded)


def is_plain(character: str) -> bool:
    """Whether folding leaves a character alone that is neither odd nor traditional: a quick look."""
    return not unicodedata.decomposition(character) and character == character.lower() and not character.isspace()


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    if not plain[:1].isascii():
        return text
    return "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Me"))


@lru_cache(maxsize=1)
def folding() -> Folding:
    """Build the table (a quarter of a second), once in a process."""
    pairs = simplified()
    width = np.ones(SIZE, np.uint8)
    first = np.arange(SIZE, dtype=np.uint32)
    mark = np.zeros(SIZE, np.bool_)
    rest: dict[int, NDArray[np.uint32]] = {}
    for character in map(chr, (code for block in CHANGING for code in block)):
        code, category = ord(character), unicodedata.category(character)
        mark[code] = category[0] in "PSZ"
        if category not in ODD and is_plain(character) and character not in pairs:
            continue
        folded = _collapsed(fold_character(character, pairs))
        width[code] = len(folded)
        first[code] = ord(folded[0]) if folded else 0
        if len(folded) > 1:
            rest[code] = code_points(folded)
    for character, simple in pairs.items():
        if ord(character) >= CHANGING[0].stop:
            first[ord(character)] = ord(simple)
    return Folding(width, first, rest, mark)


def _collapsed(text: str) -> str:
    """“...”, which NFKC makes of “…”, is one full stop like every other repeated mark."""
    if len(set(text)) == 1 and unicodedata.category(text[0])[0] in "PSZ":
        return text[0]
    return text
