"""CSV: the input's text cell by cell, then the answers; UTF-8 with a mark, or another encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.rows.cell import text
from nlp.errors import InputError
from serving.backlog.answers import HEADINGS, Answered, cell
from serving.backlog.plan import Plan
from serving.backlog.sinks.record import FileSink, Record, answer_names

ENCODING = "utf-8-sig"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate (OWASP, CSV injection)


class CsvSink(FileSink):
    """Writes CSV with commas. escape: a `'` goes before cells that a spreadsheet would calculate."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        encoding = plan.writing.get("encoding", ENCODING)
        self.encoding = encoding.removesuffix("-sig")
        self._mark = b"\xef\xbb\xbf" if encoding.endswith("-sig") else b""
        self._escape = bool(plan.writing.get("escape"))

    @property
    def names(self) -> tuple[str, ...]:
        """The input's own names, also where two are the same, and the headings of the answers."""
        return (*self.columns, *answer_names(self.columns, HEADINGS))

    def head(self) -> bytes:
        """The mark and the line of names."""
        names = [self._shown(name) for name in (*self.names, *self.further)]
        return self._mark + self._encoded([Record(0, "", names)])

    def records(self, answered: Sequence[Answered]) -> list[Record]:
        """All cells as text."""
        return [Record(one.row.number, one.row.sheet, self._cells(one)) for one in answered if one.decision]

    def written(self, records: Sequence[Record]) -> bytes:
        """Lines; raises `InputError` for a character that the encoding lacks."""
        return self._encoded(records)

    def finish(self, spool: Path, out: Path) -> None:
        """The spool is the output already."""
        spool.replace(out)

    def _cells(self, one: Answered) -> list[str]:
        cells = [*self.padded(one.row.cells), *map(cell, one.values)]
        if self._escape:
            return [self._shown(value) for value in cells]
        return [value if type(value) is str else text(value) for value in cells]  # most are text already

    def _shown(self, value: Any) -> str:
        shown = text(value)
        return f"'{shown}" if self._escape and shown.startswith(FORMULA) else shown

    def _encoded(self, records: Sequence[Record]) -> bytes:
        lines = io.StringIO(newline="")
        csv.writer(lines).writerows(record.cells for record in records)
        try:
            return lines.getvalue().encode(self.encoding)
        except UnicodeEncodeError as error:
            if self.encoding == "utf-8":  # half a character, which JSON can hold and no file can
                return text(lines.getvalue()).encode()
            sign = f"U+{ord(error.object[error.start]):04X}"
            raise InputError(place=self._lacking(records), reason=f"--encoding {self.encoding} 没有 {sign} 这个字；"
                             "用 utf-8-sig 或 gb18030 就都有") from error  # fmt: skip

    def _lacking(self, records: Sequence[Record]) -> str:
        """Where the first character stands that the encoding lacks."""
        for record in records:
            for name, value in zip((*self.names, *self.further), record.cells, strict=True):
                if value.encode(self.encoding, "ignore").decode(self.encoding) != value:
                    return f"第 {record.number} 行，列“{name}”" if record.number else f"列名“{name}”"
        return "输出"
