"""Records: the rows of a text with delimiters, each with the line it begins on, and those that are broken."""

from __future__ import annotations

import _csv
import csv
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice

from corpora.rows.encoding import SURROGATE, mended, spoken
from corpora.rows.row import Row

FIELD = 16 << 20  # characters of a cell
REASONS = {
    "unexpected end of data": "引号没有闭合",
    "field larger than": f"一格超过 {FIELD >> 20} MiB，或引号没有闭合",
    "expected after": "引号没有成对写（格子里的引号要写两遍）",
}


class Records:
    """How the records of one file are read.

    columns: of its head; none while the head itself is looked for, when any number of cells will do.
    """

    def __init__(self, delimiter: str, encoding: str, columns: Sequence[str] = ()) -> None:
        self._delimiter = delimiter
        self._encoding = encoding
        self._columns = columns
        self._width = len(columns) or 1 << 62
        self._broken = False

    def rows(self, pieces: Iterable[tuple[str, bool]]) -> Iterator[Row]:
        """The records of pieces of whole lines, blank lines left out.

        A record that is broken is one line: reading goes on with the next, so that a stray quotation mark costs no
        other record; but until a line has as many cells as the head, others count as remains of the broken one.
        """
        csv.field_size_limit(FIELD)
        self._broken = False
        lines: list[str] = []
        odd, first, wanted, held = False, 1, 0, 0
        for text, marked in pieces:
            lines += io.StringIO(text, newline="")
            odd |= marked or "\0" in text
            held += len(text)
            if held >= wanted:  # an open record is read again only when twice as much is there
                done = yield from self._parsed(lines, first, odd=odd, last=False)
                first, lines = first + done, lines[done:]
                held = sum(map(len, lines))
                odd, wanted = odd and bool(lines), 2 * held
        yield from self._parsed(lines, first, odd=odd, last=True)

    def _parsed(self, lines: Sequence[str], first: int, *, odd: bool, last: bool) -> Generator[Row, None, int]:
        """The records of some lines, and how many lines they took: all but those of a record open at the end."""
        start = taken = 0
        reader = self._reader(lines)
        while True:
            try:
                for cells in reader:
                    if cells and not (odd or self._broken or len(cells) > self._width):
                        yield Row(first + taken, tuple(cells))
                    elif cells:
                        yield self._checked(first + taken, cells)
                    taken = start + reader.line_num
            except csv.Error as error:
                if not last and start + reader.line_num == len(lines) and "unexpected end" in str(error):
                    return taken
                yield self._refused(first + taken, lines[taken], str(error))
                taken += 1
                if taken < start + reader.line_num:
                    start, reader = taken, self._reader(islice(lines, taken, None))
            else:
                return taken

    def _reader(self, lines: Iterable[str]) -> _csv.Reader:
        return csv.reader(lines, strict=True, delimiter=self._delimiter)

    def _refused(self, number: int, line: str, told: str) -> Row:
        self._broken = True
        reason = next((words for part, words in REASONS.items() if part in told), told)
        return Row(number, (mended(line.rstrip("\r\n")),), reason)

    def _checked(self, number: int, cells: Sequence[str]) -> Row:
        """A row that may be wrong, without the blank cells that it has beyond its head."""
        reason = self._reason(cells)
        if reason:
            return Row(number, tuple(map(mended, cells)), reason)
        self._broken = False
        return Row(number, tuple(cells[: self._width]))

    def _reason(self, cells: Sequence[str]) -> str:
        """Why a row cannot be read, empty if it can."""
        count = len(cells)
        for place, cell in enumerate(cells):
            if SURROGATE.search(cell):
                return f"{self._told(place)}不是 {spoken(self._encoding)} 编码"
            if "\0" in cell:
                return f"{self._told(place)}有 NUL 字符：文件损坏了，或者是没有标记的 UTF-16"
        if any(map(str.strip, cells[self._width :])):
            return f"有 {count} 列，表头只有 {self._width} 列；表头要在第一行，多出的格请删去"
        if self._broken and count < self._width:
            return f"接在坏的一行之后，又只有 {count} 列（表头 {self._width} 列），像是它的后半截"
        return ""

    def _told(self, place: int) -> str:
        return f"『{self._columns[place]}』列" if place < len(self._columns) else f"第 {place + 1} 格"
