"""Engines: SQLite in one file with a write-ahead log, or PostgreSQL."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any, BinaryIO

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, NoSuchModuleError, OperationalError

from nlp.errors import InputError, JiesuError

BUSY = 10.0  # seconds that a writer waits for another process
LOOK = 0.0005  # seconds between two looks whether it is its turn
WRITES = "jiesu_writes"
AWAY = (OperationalError, InterfaceError, InternalError)  # gone, full, locked, or in recovery


class StoreDown(JiesuError):
    """存储暂时不可用（{reason}）"""


def open_engine(url: str) -> Engine:
    """An engine for a database URL; raises `InputError` for one that is neither SQLite nor PostgreSQL."""
    try:
        address = make_url(url)
        return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        reason = "须是 sqlite:///路径 或 postgresql+psycopg://用户:口令@主机/库（要装 postgres 这一项）"
        raise InputError(place="设置 JIESU_STORE", reason=reason) from error


def _postgres(address: URL) -> Engine:
    if address.get_backend_name() != "postgresql":
        raise ArgumentError(str(address.get_backend_name()))
    address = address.set(drivername="postgresql+psycopg")
    return create_engine(address, pool_pre_ping=True, pool_size=5, max_overflow=5, connect_args={"connect_timeout": 3})


def _sqlite(address: URL) -> Engine:
    if address.database in {None, "", ":memory:"}:
        raise ArgumentError("in memory")
    Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": BUSY, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    """Full synchronisation: what was committed is on disk, whatever happens to the machine."""
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: one that first reads would be refused when another wrote meanwhile."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; raises `StoreDown` where the database cannot."""
    with _told(), _turn(engine), engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """One writer of an SQLite file after the other; raises `StoreDown` for one whose turn does not come in time.

    SQLite itself has whoever finds the file locked sleep, longer each time, for up to 100 ms: with two busy workers
    that was most of the time that an answer took.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with open(f"{engine.url.database}.turn", "ab") as queue:
        until = time.monotonic() + BUSY
        while not _taken(queue):
            if time.monotonic() > until:
                raise StoreDown(reason="database is locked")
            select([], [], [], LOOK)  # unlike `time.sleep` it waits for a span, not until a time: clocks may jump
        yield


def _taken(queue: BinaryIO) -> bool:
    """Whether it is this writer's turn; closing the file ends it."""
    try:
        fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads; raises `StoreDown` where the database cannot."""
    with _told(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the database, apart from what is wrong with a statement."""
    try:
        yield
    except AWAY as error:
        raise StoreDown(reason=type(error.orig).__name__) from error
