"""Normalise: one form for every way to write the same petition, aligned with the text as sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_toml
from nlp.folding import ALONE, Folding, folding
from nlp.hashing import Codes
from nlp.text import NEWLINE, Edit, SourceEdits, Texts, code_points

MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>\n]*)?/?>|<!--[^\n]*?-->|&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});")
TAIL = 60  # code points at the end of a text in which a closing phrase may begin


HEAD = 30  # code points at its beginning in which the words of an opening phrase stand
OPENING_CUE = re.compile("反映|反应|来电|致电|来信|来访|称|您好|你好|诉求|表示|述")
CLOSING_CUE = re.compile("[请望盼谢感要]")


class Normaliser:
    """Folds code points, collapses repeated marks, takes out markup and the hotline's own phrases."""

    def __init__(self) -> None:
        phrases = read_toml(DATA / "phrases.toml")
        self._opening = re.compile("|".join(phrases["opening"]))
        self._closing = re.compile(r"(?:^|(?<=[,.;!? ]))(?:" + "|".join(phrases["closing"]) + r")$")
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
        suspects: Iterable[int] = range(len(texts))
        while True:
            strings = texts.strings
            edits = [edit for number in suspects if strings[number] for edit in self._phrase(texts, number)]
            if not edits:
                return texts
            suspects = [texts.field(edit.start) for edit in edits]
            texts = tidied(texts.edited(edits), self._folding.mark)

    def _phrase(self, texts: Texts, number: int) -> Iterator[Edit]:
        """At most one phrase at a time, so that two never overlap."""
        string = texts.strings[number]
        found = self._opening.match(string) if OPENING_CUE.search(string, 0, HEAD) else None
        tail = max(0, len(string) - TAIL)
        if not found and CLOSING_CUE.search(string, tail):
            found = self._closing.search(string, tail)
        if found and found.group():
            start = int(texts.bounds[number])
            yield Edit(start + found.start(), start + found.end(), "")


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
