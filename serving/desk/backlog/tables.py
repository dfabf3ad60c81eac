"""Tables: those that the backlog desk may change, as the administrator lists them; no page is told where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from corpora.columns import DECIDED
from nlp.checked import STRICT, place_of, read_checked
from nlp.errors import RefusedData
from serving.backlog.answers import KEYS
from serving.errors import Missing

OPTIONS = frozenset({*DECIDED} - {"tier", "clock", "type"})  # roles that `jiesu batch` has an option for
PASSWORDS = frozenset({"password", "passwd", "pwd", "sslpassword"})  # what drivers call one in an address


class NoTable(Missing):
    """没有这张表：管理员没有在 JIESU_TABLES 里列出它"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One of them.

    name: for people. url: of the database, without a password. table, query, key, columns, map, only_mapped, profile:
    as `jiesu batch` takes them.
    """

    __pydantic_config__ = STRICT

    name: str
    url: str = field(repr=False)
    table: str
    query: str = ""
    key: str = ""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    only_mapped: bool = False
    profile: str = ""

    @property
    def words(self) -> list[str]:
        """What `jiesu batch` is told of it."""
        options = {"table": self.table, "query": self.query, "key": self.key, "profile": self.profile}
        words = [f"--{name}={value}" for name, value in options.items() if value]
        words += [f"--{role}={column}" for role, columns in self.columns.items() for column in columns]
        words += [f"--map={answer}={column}" for answer, column in self.map.items()]
        return [*words, *(["--only-mapped"] if self.only_mapped else [])]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The file."""

    __pydantic_config__ = STRICT

    table: tuple[Table, ...] = ()

    @classmethod
    def read(cls, path: Path | None) -> Tables:
        """Read and check a file, without one there are no tables; raises `RefusedData` with file, line and reason."""
        if path is None:
            return cls()
        tables = read_checked(path, cls)
        for location, reason in tables._faults():
            raise RefusedData(file=place_of(path, location), reason=reason)
        return tables

    def named(self, name: str) -> Table:
        """The table with a name; raises `NoTable`."""
        found = next((table for table in self.table if table.name == name), None)
        if found is None:
            raise NoTable
        return found

    def _faults(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        names = Counter(table.name for table in self.table)
        for number, table in enumerate(self.table):
            for key, reason in _faults(table):
                yield ("table", number, key), f"表“{table.name}”的 {key}：{reason}"
            if names[table.name] > 1:
                yield ("table", number, "name"), f"有两张表都叫“{table.name}”"


def _has_password(url: str) -> bool:
    """Whether an address holds a password, before its host or among its options."""
    asked = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    return ":" in url.partition("://")[2].rpartition("@")[0] or not asked.isdisjoint(PASSWORDS)


def _faults(table: Table) -> Iterator[tuple[str, str]]:
    """What is wrong with a table: the field, and the reason."""
    if not table.name.strip():
        yield "name", "不能为空"
    if "://" not in table.url:
        yield "url", "不是数据库的网址"
    elif _has_password(table.url):
        yield "url", "不要写口令（进程列表里看得见）：PostgreSQL 用 ~/.pgpass，MySQL 用 read_default_file"
    unknown = sorted(table.columns.keys() - OPTIONS)
    if unknown:
        yield "columns", f"没有“{unknown[0]}”这个用处，可用：{'、'.join(sorted(OPTIONS))}"
    strange = sorted(table.map.keys() - {key.removeprefix("jiesu_") for key in KEYS})
    if strange:
        yield "map", f"没有“{strange[0]}”这个答案"
