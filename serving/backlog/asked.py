"""Asked: what a command wants done, as it was typed, and the table and the columns that it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from python_calamine import CalamineWorkbook

from corpora.columns import Chosen, choose
from corpora.rows.open import open_rows
from corpora.rows.row import Source
from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.sinks.csv import ENCODING
from serving.backlog.sinks.open import format_of
from serving.backlog.spark.opening import is_table, open_table
from serving.backlog.spark.session import Cluster

SAMPLE = 1000  # rows by which columns are guessed


@dataclass(frozen=True)
class Tables:
    """What is read from and written to databases.

    mapped: answer → column of the table that it replaces. only_mapped: the answers get no columns of their own.
    beside: the folder for what is written beside a table: manifest, images.
    """

    table: str = ""
    query: str = ""
    key: str = ""
    out_table: str = ""
    apply: bool = False
    mapped: Mapping[str, str] = field(default_factory=dict)
    only_mapped: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Asked:
    """Where rows come from and go to, and how they are read and written. columns: role → columns that were named."""

    source: str
    out: str
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    in_encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    encoding: str = ""
    escape: bool = False
    tables: Tables = field(default_factory=Tables)

    @property
    def in_place(self) -> bool:
        """Whether the table that is read is the one that is written."""
        into = self.tables.out_table or self.tables.table
        return is_url(self.out) and self.out == self.source and into == self.tables.table

    @property
    def place(self) -> Path:
        """The output; of a table, the file in the folder beside it that would have its name."""
        if not is_url(self.out):
            return Path(self.out)
        table = self.tables.out_table or self.tables.table
        if not table:
            raise InputError(place="OUT", reason="是数据库，请用 --out-table 指定写到哪张表")
        return Path(self.tables.beside) / table.replace("/", "_")

    def opened(self, cluster: Cluster | None = None) -> Source:
        """What is to be read, a table of a cluster too; raises `InputError`."""
        if is_table(self.source):
            return open_table(cluster or Cluster(), self.source, self.tables.key)
        if is_url(self.source):
            from serving.backlog.database.source import open_database  # noqa: PLC0415 - loads SQLAlchemy

            written = [*KEYS, *self.tables.mapped.values()] if self.in_place else []
            table, query, key = self.tables.table, self.tables.query, self.tables.key
            return open_database(self.source, table=table, query=query, key=key, written=written)
        path = Path(self.source)
        if not is_url(self.out) and path.resolve() == Path(self.out).resolve():
            raise InputError(place=self.out, reason="输出不能就是输入；原来的文件不会改动，请另起一个名字")
        return open_rows(path, encoding=self.in_encoding, delimiter=self.delimiter, sheet=self.sheet)

    def chosen(self, source: Source) -> Chosen:
        """The columns and their roles; raises `InputError` where none holds texts."""
        sample = [row.cells for row in islice((row for row in source.rows() if not row.reason), SAMPLE)]
        named = {role: tuple(columns) for role, columns in self.columns.items() if columns}
        found = choose(source.name, source.columns, sample, named, labels=False)
        found.refuse_formulas(source.name, getattr(source, "formulas", {}))
        return found

    @property
    def reading(self) -> dict[str, str]:
        """What the plan holds of how the source is read."""
        told = {"encoding": self.in_encoding, "delimiter": self.delimiter, "sheet": self.sheet}
        return {name: value for name, value in told.items() if value}

    def writing(self, source: Source) -> dict[str, str]:
        """What the plan holds of how the output is written; raises `InputError` for what does not go together."""
        if is_url(self.out):
            return self._table(source)
        name = format_of(Path(self.out).suffix)
        if name != "csv" and (self.encoding or self.escape):
            raise InputError(place=self.out, reason="--encoding 和 --escape-formulas 只用于 CSV")
        if name == "csv":
            return {"format": name, "encoding": checked(self.encoding)} | ({"escape": "1"} if self.escape else {})
        more = {"parquet": lambda: self._types(source), "xlsx": self._sheet}
        return {"format": name} | more.get(name, dict)()

    def _table(self, source: Source) -> dict[str, str]:
        from serving.backlog.database.lines import writing_in_place, writing_table  # noqa: PLC0415
        from serving.backlog.database.source import Database  # noqa: PLC0415

        if not self.in_place:
            return writing_table(self.tables.out_table or self.tables.table)
        if not isinstance(source, Database):
            raise InputError(place=self.out, reason="要就地修改，输入就得是同一张表")
        return writing_in_place(self.tables.table, source.key, self.tables.mapped, own=not self.tables.only_mapped)

    def _sheet(self) -> dict[str, str]:
        """The name of a workbook's only sheet; of several, every row has its own."""
        if is_url(self.source) or Path(self.source).suffix.lower() != ".xlsx":
            return {}
        names = CalamineWorkbook.from_path(self.source).sheet_names
        return {"sheet": names[0]} if len(names) == 1 else {}

    def _types(self, source: Source) -> dict[str, str]:
        """The types of a Parquet input, or of a cluster's table, are those of a Parquet output."""
        if is_table(self.source):
            return {"schema": source.schema}  # type: ignore[attr-defined]
        if is_url(self.source) or Path(self.source).suffix.lower() != ".parquet":
            return {}
        from serving.backlog.sinks.parquet import SCHEMA, schema_text  # noqa: PLC0415 - loads pyarrow

        return {SCHEMA: schema_text(Path(self.source))}


def checked(encoding: str) -> str:
    """The name of an encoding that CSV can be written in; raises `InputError` for one that is not known."""
    try:
        if "a,\r\n".encode(encoding or ENCODING).endswith(b"a,\r\n"):
            return (encoding or ENCODING).lower()
    except (LookupError, UnicodeError):
        pass
    raise InputError(
        place="--encoding", reason=f"不能用 {encoding}；可用 utf-8-sig（默认）、utf-8、gb18030、gbk、big5 等"
    )


def is_url(place: str) -> bool:
    """Whether it names a database."""
    return "://" in place
