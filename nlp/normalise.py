"""Normalise: one form for every way to write the same petition, aligned with the text as sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_toml
from nlp.folding import ALONE, Folding, folding
from nlp.hashing import Codes
from nlp.text import NEWLINE, Edit, SourceEdits, Texts, code_points

# Repeated marks are one by then: a comment begins with “<!-”. No part reaches past the next “<”.
MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?: [^<>\n]*)?/?>|<!-[^<>\n]*->|&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});")
TAIL = 60  # code points at the end of a text in which a closing phrase may begin


HEAD = 30  # code points at its beginning in which the words of an opening phrase stand
OPENING_CUE = re.compile("反映|反应|来电|致电|来信|来访|称|您好|你好|诉求|表示|述")
CLOSING_CUE = re.compile("[请望盼谢感要]")


class Normaliser:
    """Folds code points, collapses repeated marks, takes out markup and the hotline's own phrases."""

    def __init__(self) -> None:
        phrases = read_toml(DATA / "phrases.toml")
        self._opening = re.compile("|".join(phrases["opening"]))
        closing = "|".join(phrases["closing"])
        self._closing = re.compile(closing)
        self._closing_after = re.compile(rf"(?<=[,.;!?。 ])(?:{closing})$")
        self._folding = folding()

    def clean(self, sources: Sequence[str]) -> tuple[Texts, SourceEdits]:
        """Folded texts without markup, and what was taken out; cleaning the result changes nothing."""
        texts = tidied(folded(sources, self._folding), self._folding.mark)
        removed: SourceEdits = {}
        while "<" in texts.whole or "&" in texts.whole:
            edits = [Edit(*match.span(), " ") for match in MARKUP.finditer(texts.whole)]
            if not edits:
                break
            texts.note(edits, removed)
            texts = tidied(texts.edited(edits), self._folding.mark)
        return texts, removed

    def strip(self, texts: Texts) -> Texts:
        """The texts without the hotline's own phrases; stripping the result changes nothing."""
        edits: list[Edit] = []
        for string, first in zip(texts.strings, texts.bounds.tolist(), strict=False):
            start, end = self._core(string)
            if start:
                edits.append(Edit(first, first + start, ""))
            if end < len(string):
                edits.append(Edit(first + end, first + len(string), ""))
        return texts.edited(edits) if edits else texts

    def _core(self, string: str) -> tuple[int, int]:
        """Where a text begins and ends without phrases: one after the other goes, blanks with them."""
        start, end = 0, len(string)
        while start < end:
            cut = self._cut(string, start, end)
            if cut == (start, end):
                break
            start, end = cut
            while start < end and string[start] == " ":
                start += 1
            while start < end and string[end - 1] == " ":
                end -= 1
        return (start, end) if start < end else (len(string), len(string))

    def _cut(self, string: str, start: int, end: int) -> tuple[int, int]:
        """The stretch without its first phrase or, failing that, without its last."""
        if OPENING_CUE.search(string, start, min(end, start + HEAD)):
            found = self._opening.match(string, start, end)
            if found:
                return found.end(), end
        tail = max(start, end - TAIL)
        if CLOSING_CUE.search(string, tail, end):
            found = self._closing.fullmatch(string, start, end) if end - start <= TAIL else None
            found = found or self._closing_after.search(string, tail, end)
            if found and found.group():
                return start, found.start()
        return start, end


def folded(sources: Sequence[str], table: Folding) -> Texts:
    """The sources with every code point folded by itself."""
    raw = code_points("\n".join([*sources, ""]))
    lengths = np.fromiter(map(len, sources), np.int64, len(sources)) + 1
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    origin = np.arange(len(raw)) - np.repeat(bounds[:-1], lengths)
    codes, width = table.first[raw], table.width[raw]
    codes[bounds[1:] - 1], width[bounds[1:] - 1] = NEWLINE, 1
    codes = _expanded(raw, codes, width, table) if width.max(initial=0) > 1 else codes[width == 1]
    starts = np.repeat(origin, width)
    moved = np.concatenate(([0], np.cumsum(width, dtype=np.int64)))[bounds]
    return Texts(codes, starts, starts + 1, moved)


def _expanded(raw: Codes, codes: Codes, width: NDArray[np.uint8], table: Folding) -> Codes:
    where = np.cumsum(width, dtype=np.int64) - width
    long = np.flatnonzero(width > 1)
    result = np.repeat(codes, width)
    for index in long.tolist():
        new = table.rest[int(raw[index])]
        result[where[index] : where[index] + len(new)] = new
    return result


def plain(sources: Sequence[str]) -> list[str]:
    """Words of rules and names of places in the form in which texts are read."""
    table = folding()
    return tidied(folded(sources, table), table.mark).strings


def tidied(texts: Texts, mark: NDArray[np.bool_]) -> Texts:
    """Repeated marks become one; blanks at the edges of a text go."""
    codes = texts.codes
    keep = np.ones(len(codes), np.bool_)
    keep[1:] = (codes[1:] != codes[:-1]) | ~mark[codes[1:]]
    texts = texts.kept(keep)
    codes = texts.codes
    edge = codes == NEWLINE
    before = np.concatenate(([True], edge[:-1]))
    after = np.concatenate((edge[1:], [True]))
    return texts.kept((codes != ALONE) | ~(before | after))
