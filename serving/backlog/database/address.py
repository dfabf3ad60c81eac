"""Addresses: where a database is, and connections to it; the password never shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from nlp.errors import InputError
from serving.backlog.database.fault import told

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
FORMS = "须是 sqlite:///文件、postgresql://用户@主机/库 或 mysql://用户@主机/库"
SHOWN = ("host", "port", "unix_socket")  # what may stand in a name of the part after the question mark
WAIT = 10  # seconds for a connection, and for what others have locked
READ, WRITE = "read", "write"
# Times without a zone count as China's, as in files. A reader sees one moment from its first row to its last, and may
# take as long as deciding does; a writer neither waits for ever nor has a text cut off silently.
SETTINGS = {
    ("postgresql", READ): (
        "SET TIME ZONE 'Asia/Shanghai'",
        "SET statement_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ),
    ("postgresql", WRITE): ("SET TIME ZONE 'Asia/Shanghai'", f"SET lock_timeout = '{WAIT}s'"),
    ("mysql", READ): (
        "SET SESSION time_zone = '+08:00', net_write_timeout = 604800, wait_timeout = 604800",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION READ ONLY",
    ),
    ("mysql", WRITE): (
        f"SET SESSION time_zone = '+08:00', lock_wait_timeout = {WAIT}, innodb_lock_wait_timeout = {WAIT}",
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
    ),
    ("sqlite", READ): ("PRAGMA query_only = ON",),
    ("sqlite", WRITE): (),
}

TIME = 11  # MySQL's number of the type: up to 838 hours, which Python's `time` is not


class Undecoded(bytes):
    """A text of SQLite that is not UTF-8."""


@dataclass(frozen=True)
class Address:
    """A database. url: may hold a password, so that it is neither shown nor kept."""

    url: URL = field(repr=False)

    @property
    def name(self) -> str:
        """Driver, user, host and database."""
        shown = {key: value for key, value in self.url.query.items() if key in SHOWN}
        return self.url.set(query=shown, drivername=self.kind).render_as_string(hide_password=True)

    @property
    def kind(self) -> str:
        """sqlite, postgresql or mysql."""
        return self.url.get_backend_name()

    @contextmanager
    def connected(self, mode: str = READ) -> Iterator[Connection]:
        """A connection; transactions on it are the caller's. Raises `InputError` where it cannot be had, or fails."""
        with told(self.name), self.opened(mode) as connection:
            yield connection

    def opened(self, mode: str = READ) -> Connection:
        """A connection that the caller closes; raises `InputError` where it cannot be had."""
        try:
            with told(self.name):
                return self.engine(mode).connect()
        except RuntimeError as error:  # PyMySQL, where the server wants a login for which cryptography is needed
            raise InputError(place=self.name, reason="这个库的登录方式要装 jiesu[mysql]") from error

    def engine(self, mode: str = READ) -> Engine:
        """An engine that keeps no connections, so that nothing is left of it when they are closed."""
        self._check_file()
        engine = create_engine(self.url, poolclass=NullPool, hide_parameters=True, connect_args=self._arguments())
        event.listen(engine, "connect", lambda connection, _: self._prepare(connection, mode))
        if self.kind == "sqlite":
            # The driver would begin later than it is told to, and a writer that first reads could be refused.
            begin = "BEGIN" if mode == READ else "BEGIN IMMEDIATE"
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _arguments(self) -> dict[str, Any]:
        if self.kind == "sqlite":
            return {"timeout": WAIT}
        arguments: dict[str, Any] = {} if "connect_timeout" in self.url.query else {"connect_timeout": WAIT}
        if self.kind == "mysql":
            known = import_module("pymysql.converters").conversions  # an extra of its own
            return arguments | {"conv": {key: value for key, value in known.items() if key != TIME}}
        return arguments

    def _prepare(self, connection: Any, mode: str) -> None:
        if self.kind == "sqlite":
            connection.isolation_level = None
            connection.text_factory = _text
        elif self.kind == "postgresql":
            import_module("serving.backlog.database.postgres").prepare(connection)  # an extra of its own
        cursor = connection.cursor()
        for statement in SETTINGS[self.kind, mode]:
            cursor.execute(statement)
        cursor.close()
        if self.kind != "sqlite":
            connection.commit()

    def make(self) -> None:
        """Make the file of an SQLite database that is not there yet; raises `InputError`."""
        try:
            if self.kind == "sqlite":
                Path(str(self.url.database)).touch()
        except OSError as error:
            raise InputError(place=self.name, reason=f"写不了（{error.strerror}）") from error

    def _check_file(self) -> None:
        """SQLite itself would make a database wherever there is none."""
        if self.kind == "sqlite" and not Path(str(self.url.database)).is_file():
            raise InputError(place=self.name, reason="没有这个数据库文件")


def ready(connection: Connection) -> Connection:
    """The connection, ready for rows: after this no table is looked up on it."""
    if connection.dialect.name == "postgresql":
        flatten: Callable[[Any], None] = import_module("serving.backlog.database.postgres").flatten
        flatten(connection.connection.dbapi_connection)
    return connection


def read_address(url: str) -> Address:
    """The address in a URL; raises `InputError` for a database that is not known here, or whose driver is missing."""
    try:
        found = make_url(url)
        driver = DRIVERS.get(found.drivername.partition("+")[0])
        if driver is None or not found.database or found.database == ":memory:":
            raise ArgumentError
        found = found.set(drivername=driver)
        create_engine(found, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise InputError(place="数据库的地址", reason=FORMS) from None  # whatever was said may quote the password
    except ImportError as error:
        extra = found.get_backend_name().replace("postgresql", "postgres")
        raise InputError(place="数据库的地址", reason=f"缺少驱动程序，请装 jiesu[{extra}]") from error
    return Address(found)


def _text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return Undecoded(raw)
