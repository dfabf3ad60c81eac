"""Rows of a text file with delimiters: CSV as every program writes it, in any usual encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import dropwhile, islice
from pathlib import Path

from corpora.rows.encoding import named, texts, told
from corpora.rows.file import File
from corpora.rows.records import Records
from corpora.rows.row import Row
from nlp.errors import InputError

USUAL = ",;\t|"  # the first wins where the head says nothing
RARE = "\x01\x1f^~¦，；"  # \x01 is Hive's; taken only where every row of the sample agrees
BEGINNING = 1 << 17  # characters that show the delimiter
SAMPLE = 20  # records that show a rare delimiter
SPELT = {"tab": "\t", "\\t": "\t", "\\x01": "\x01", "^a": "\x01"}


class TextSource:
    """A CSV file; raises `InputError` when it cannot be read at all, or has no head."""

    def __init__(self, path: Path, *, encoding: str = "", delimiter: str = "") -> None:
        self.name = str(path)
        self._file = File(path)
        self.encoding = named(encoding) or told(self._file)
        self.delimiter = _spelt(delimiter) or _sniffed(self._sample())
        self._head = self._found()
        self.columns: tuple[str, ...] = self._head.cells

    def rows(self) -> Iterator[Row]:
        """Every record below the head; blank lines are none."""
        rows = Records(self.delimiter, self.encoding, self.columns).rows(texts(self._file, self.encoding))
        return dropwhile(lambda row: row.number <= self._head.number, rows)

    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._file.digest()

    def size(self) -> int:
        """How many rows there are is known only at the end."""
        return 0

    def share(self) -> float:
        """How much of the file the latest pass has read, from 0 to 1."""
        return self._file.share()

    def _sample(self) -> str:
        """The beginning; the first block may be one line of many mebibytes."""
        return next((text for text, _ in texts(self._file, self.encoding)), "")[:BEGINNING]

    def _found(self) -> Row:
        """The head: the first record that is not blank."""
        rows = Records(self.delimiter, self.encoding).rows(texts(self._file, self.encoding))
        head = next((row for row in rows if row.reason or any(map(str.strip, row.cells))), None)
        if head is None:
            raise InputError(place=self.name, reason="文件是空的，没有数据行")
        if head.reason:
            raise InputError(place=f"{self.name} 第 {head.number} 行", reason=f"表头读不懂：{head.reason}")
        return head


def _spelt(delimiter: str) -> str:
    mark = SPELT.get(delimiter.lower(), delimiter)
    if len(mark) > 1 or mark in {"\n", "\r", '"', " "}:
        raise InputError(place=f"分隔符 {delimiter!r}", reason="要是一个字符，如 , ; | 或 tab")
    return mark


def _sniffed(text: str) -> str:
    """What splits the head into the most cells; a rare mark only where all rows of a sample have as many."""
    text = text.lstrip("\r\n \t")
    counts = {mark: len(next(iter(_split(text, mark, 1)), ())) for mark in USUAL}
    best = max(USUAL, key=counts.__getitem__)
    if counts[best] > 1:
        return best
    for mark in RARE:
        widths = {len(cells) for cells in _split(text, mark, SAMPLE)}
        if len(widths) == 1 and widths.pop() > 1:
            return mark
    return best


def _split(text: str, mark: str, most: int) -> list[list[str]]:
    """The first rows of a text under a delimiter, as many as can be read."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    found = []
    try:
        found = [cells for cells in islice(rows, most) if cells]
    except csv.Error:
        return []
    return found
