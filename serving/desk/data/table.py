"""A table that was uploaded: which of its columns are what, and how its first rows look, masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from corpora.columns import LEARNED, Chosen, choose
from corpora.rows.cell import is_blank, text
from corpora.rows.open import open_rows
from corpora.rows.row import Row, Source
from corpora.rows.sheet import SheetSource
from nlp.errors import InputError
from nlp.reader import Reader

SAMPLE = 2000  # rows by which columns are guessed
SHOWN = 5  # rows that people see
EXCERPT = 80  # characters of a cell that they see
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Look:
    """What a table is.

    names: its columns. chosen: role → those taken for it; guessed: the roles whose columns bear no usual name.
    sample: the first rows by role, masked. fault: why nothing can be learned from it yet, in words.
    """

    rows: int
    names: Sequence[str]
    chosen: Columns
    guessed: Sequence[str]
    sample: Sequence[Mapping[str, str]]
    fault: str = ""

    @property
    def labelled(self) -> bool:
        """Whether it holds labels."""
        return any(task in self.chosen for task in ("category", "tier", "clock", "type"))


def opened(path: Path) -> Source:
    """A file as training reads it: of a workbook the first sheet with data. Raises `InputError`."""
    return SheetSource(path, first=True) if path.suffix.lower() == ".xlsx" else open_rows(path)


def rows_of(source: Source) -> Iterator[Row]:
    """Its rows, those that are blank left out; raises `InputError` for the first that cannot be read."""
    for row in source.rows():
        if row.reason:
            raise InputError(place=f"{source.name} 第 {row.number} 行", reason=row.reason)
        if not all(map(is_blank, row.cells)):
            yield row


def looked(path: Path, named: Columns, reader: Reader) -> Look:
    """Look at a table; raises `InputError` where it cannot be read, or holds no rows.

    named: role → the columns that somebody chose for it, over those that would be taken.
    """
    source = opened(path)
    names, rows = [name.strip() for name in source.columns], rows_of(source)
    first = list(islice(rows, SAMPLE))
    if not first:
        raise InputError(place=path, reason="只有表头，没有数据行")
    count = len(first) + sum(1 for _ in rows)
    chosen, fault = _chosen(names, first, {role: tuple(columns) for role, columns in named.items() if columns})
    roles = {role: columns for role, columns in chosen.roles.items() if role in LEARNED}
    there = [name for name in names if name]
    return Look(count, there, roles, sorted(chosen.guessed), _sample(names, first, roles, reader), fault)


def _chosen(names: Sequence[str], rows: Sequence[Row], named: Mapping[str, tuple[str, ...]]) -> tuple[Chosen, str]:
    """The columns, and what is wrong with them: no texts, or no labels, which a list to be labelled need not have."""
    sample = [row.cells for row in rows]
    try:
        return choose("", names, sample, named, labels=True), ""
    except InputError as error:
        fault = _plain(error)
    try:
        return choose("", names, sample, named, labels=False), "" if "标签列" in fault else fault
    except InputError as error:
        return Chosen(named), _plain(error)


def _plain(error: InputError) -> str:
    """What is wrong, for people who choose columns on a page rather than by options."""
    return str(error.fields["reason"]).partition("，请用 --")[0]


def _sample(names: Sequence[str], rows: Sequence[Row], roles: Columns, reader: Reader) -> list[dict[str, str]]:
    """The first rows by role; only what was taken is shown, with personal data masked."""
    found = []
    for row in rows[:SHOWN]:
        cells = dict(zip(names, map(text, row.cells), strict=False))
        shown = {role: "/".join(cells.get(column, "") for column in columns) for role, columns in roles.items()}
        reading = reader.fields([part for value in shown.values() for part in ("", value)])
        found.append({role: _short(reading.masked(2 * at + 1)) for at, role in enumerate(shown)})
    return found


def _short(value: str) -> str:
    return value if len(value) <= EXCERPT else f"{value[:EXCERPT]}…"
