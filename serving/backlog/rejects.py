"""Rejects: the rows that could not be read or decided, with where they stand, why, and what they held."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from corpora.rows.cell import text
from serving.backlog.answers import Answered

HEADINGS = ("行号", "工作表", "原因", "原始内容")


def head() -> bytes:
    """The mark of UTF-8 and the names of the columns."""
    return b"\xef\xbb\xbf" + _lines([HEADINGS])


def rendered(answered: Sequence[Answered]) -> bytes:
    """The rejects of a chunk; the raw cells are one JSON list in one cell, so that none is lost or calculated."""
    return _lines([
        (one.row.number, one.row.sheet, one.reason, json.dumps(one.row.cells, ensure_ascii=False, default=text))
        for one in answered
        if one.decision is None
    ])  # fmt: skip


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue().encode("utf-8", "backslashreplace")
