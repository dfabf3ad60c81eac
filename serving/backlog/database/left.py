"""Rows that were left as they are, listed for people: their key, the columns in question, why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from serving.backlog.database.cells import restored
from serving.draft import drafted

MARK = "\ufeff"  # spreadsheets take a file without it for another encoding


class Left(NamedTuple):
    """A row that was left as it is. key: cells as `kept` makes them."""

    key: Sequence[Any]
    columns: Sequence[str]
    reason: str


def write_left(out: Path, key: Sequence[str], rows: Iterable[Left]) -> int:
    """Write the rows as CSV; gives their number. Raises `InputError` where it cannot be written."""
    count = 0
    with drafted(out) as draft:
        text = io.TextIOWrapper(draft, encoding="utf-8", newline="")
        text.write(MARK)
        written = csv.writer(text)
        written.writerow([*key, "列", "原因"])
        for row in rows:
            written.writerow([*map(restored, row.key), "、".join(row.columns), row.reason])
            count += 1
        text.flush()
        text.detach()
    return count
