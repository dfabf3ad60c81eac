"""Suspects: the rows whose labels a report doubts, with their texts masked, for people to settle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from corpora.rows.cell import text
from nlp.reader import Reader
from serving.desk.data.table import Columns, opened, rows_of
from serving.draft import drafted

MOST = 300  # of each task; the likeliest wrong ones come first
LONGEST = 1500  # characters of a text


def excerpted(rows: Path, columns: Columns, report: Path, out: Path) -> int:
    """Write one line for each label that is less probable than the one that is suggested; how many there are."""
    record = orjson.loads((report / "report.json").read_bytes())
    doubted = [
        {"task": task, **one}
        for task, ranked in (record.get("suspects") or {}).items()
        for one in [one for one in ranked if one["instead"] > one["confidence"]][:MOST]
    ]
    texts = _texts(rows, columns, {one["line"] for one in doubted})
    with drafted(out) as file:
        for one in doubted:
            row = {**one, **texts.get(one["line"], {"title": "", "text": ""})}
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    out.chmod(0o600)
    return len(doubted)


def _texts(rows: Path, columns: Columns, lines: set[int]) -> Mapping[int, dict[str, Any]]:
    """Line → title and text, personal data masked."""
    source, reader = opened(rows), Reader()
    names, found = [name.strip() for name in source.columns], {}
    title, words = columns.get("title", ("",))[0], columns["text"][0]
    for row in rows_of(source):
        if row.number in lines:
            cells = dict(zip(names, map(text, row.cells), strict=False))
            reading = reader.fields([cells.get(title, "")[:LONGEST], cells.get(words, "")[:LONGEST]])
            found[row.number] = {"title": reading.masked(0), "text": reading.masked(1)}
    return found
