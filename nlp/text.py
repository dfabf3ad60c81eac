"""Many texts in one buffer of code points, each code point aligned with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlp.hashing import Codes, Hashes

Offsets = NDArray[np.int64]
NEWLINE = 10
REPLACEMENT = "\ufffd"


class Edit(NamedTuple):
    """Replace the code points `start:end` of a buffer by a text."""

    start: int
    end: int
    text: str


SourceEdits = dict[int, list[Edit]]
"""The number of a text → edits in the offsets of its own source."""


def replaced(source: str, edits: Sequence[Edit]) -> str:
    """A source after its edits; of two that overlap the longer, earlier one holds."""
    pieces: list[str] = []
    position = 0
    for start, end, text in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if start >= position:
            pieces += [source[position:start], text]
            position = end
    return "".join([*pieces, source[position:]])


def code_points(text: str) -> Codes:
    """The code points of a text; lone surrogates pass as they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def written(codes: Codes) -> str:
    """Code points as a text."""
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le", "surrogatepass")


def holders(start: Offsets, end: Offsets, size: int, nobody: int) -> Offsets:
    """(size,) for each code point of a buffer the number of the stretch that holds it, or `nobody`; none overlap."""
    holder = np.full(size, nobody)
    sizes = end - start
    begun = (sizes.cumsum() - sizes).repeat(sizes)
    holder[start.repeat(sizes) + np.arange(len(begun)) - begun] = np.arange(len(sizes)).repeat(sizes)
    return holder


@dataclass(frozen=True)
class Texts:
    """`n` texts, each followed by one newline, which no text holds itself.

    codes: (m,) code points of all texts and their newlines.
    start, end: (m,) offsets of the source that stands behind each code point, in its own field.
    bounds: (n + 1,) offsets into `codes`; text i is `codes[bounds[i] : bounds[i + 1] - 1]`.
    """

    codes: Codes
    start: Offsets
    end: Offsets
    bounds: Offsets

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @cached_property
    def whole(self) -> str:
        """All texts and their newlines as one string."""
        return self.codes.tobytes().decode("utf-32-le")

    @cached_property
    def strings(self) -> list[str]:
        """The texts one by one."""
        return self.whole.split("\n")[:-1]

    @cached_property
    def hashes(self) -> Hashes:
        """The hashes of all stretches of the buffer."""
        return Hashes(self.codes)

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """(m,) true where one code point of the source, and it alone, stands behind a code point.

        False for the words that masking put in: what they hide must never be quoted.
        """
        single: NDArray[np.bool_] = self.end - self.start == 1
        same = (self.start[1:] == self.start[:-1]) & (self.codes[:-1] != NEWLINE)
        single[1:] &= ~same
        single[:-1] &= ~same
        return single

    def field(self, position: int) -> int:
        """The number of the text that holds a position of the buffer."""
        return int(np.searchsorted(self.bounds, position, side="right")) - 1

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The span of the source that stands behind the non-empty stretch `start:end`."""
        return int(self.start[start]), int(self.end[end - 1])

    def note(self, edits: Sequence[Edit], notes: SourceEdits) -> None:
        """Add `edits` of this buffer to `notes`, in the offsets of the sources."""
        for start, end, text in edits:
            notes.setdefault(self.field(start), []).append(Edit(*self.source(start, end), text))

    def kept(self, keep: NDArray[np.bool_]) -> Texts:
        """The texts with only those code points for which `keep` is true, newlines among them."""
        if keep.all():
            return self
        moved: Offsets = np.concatenate(([0], np.cumsum(keep)))[self.bounds]
        return Texts(self.codes[keep], self.start[keep], self.end[keep], moved)

    def part(self, numbers: Sequence[int]) -> Texts:
        """Some of the texts, by their numbers."""
        first, last = self.bounds[numbers], self.bounds[np.asarray(numbers) + 1]
        places = np.concatenate([np.arange(start, end) for start, end in zip(first, last, strict=True)])
        bounds = np.concatenate(([0], np.cumsum(last - first)))
        return Texts(self.codes[places], self.start[places], self.end[places], bounds)

    def head(self, limit: int) -> Texts:
        """The texts, of the longer ones only the first `limit` code points."""
        lengths = self.bounds[1:] - self.bounds[:-1]
        if lengths.max(initial=0) <= limit + 1:
            return self
        offset = np.arange(len(self.codes)) - np.repeat(self.bounds[:-1], lengths)
        return self.kept((offset < limit) | (self.codes == NEWLINE))

    def edited(self, edits: Sequence[Edit]) -> Texts:
        """The texts after `edits`, which are sorted, not empty, apart, and each within one text."""
        codes: list[Codes] = []
        starts: list[Offsets] = []
        ends: list[Offsets] = []
        position = 0
        for edit in edits:
            new = code_points(edit.text)
            codes += [self.codes[position : edit.start], new]
            starts += [self.start[position : edit.start], np.full(len(new), self.start[edit.start])]
            ends += [self.end[position : edit.start], np.full(len(new), self.end[edit.end - 1])]
            position = edit.end
        codes.append(self.codes[position:])
        starts.append(self.start[position:])
        ends.append(self.end[position:])
        return Texts(np.concatenate(codes), np.concatenate(starts), np.concatenate(ends), self._shifted(edits))

    def _shifted(self, edits: Sequence[Edit]) -> Offsets:
        growth = np.cumsum([len(edit.text) - (edit.end - edit.start) for edit in edits])
        done = np.searchsorted([edit.end for edit in edits], self.bounds, side="right")
        return self.bounds + np.concatenate(([0], growth))[done]
