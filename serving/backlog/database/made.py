"""Tables that a run made: what tells whether they are still as it left them, and their removal."""

from __future__ import annotations

import hashlib

from sqlalchemy import MetaData, select
from sqlalchemy import Table as Definition

from serving.backlog.database.address import READ, WRITE, Address, read_address, ready
from serving.backlog.database.cells import encoded
from serving.backlog.database.fault import told
from serving.backlog.database.table import exists, find_table

PAGE = 1000  # rows fetched at a time
SUMS = 2**256


def table_digest(url: str, table: str) -> str:
    """What tells whether anything in a table has changed, whatever order its rows come in; raises `InputError`.

    The sum of the rows' SHA-256, after the SHA-256 of the columns' names, both in hexadecimal.
    """
    return _digest(read_address(url), table)


def drop_made(url: str, table: str, digest: str) -> bool:
    """Drop a table that is as it was when `table_digest` gave this; whether it is gone. Raises `InputError`."""
    address = read_address(url)
    with address.connected(WRITE) as connection, told(f"{address.name} 表 {table}"):
        with connection.begin():
            if not exists(connection, table):
                return True
        if _digest(address, table) != digest:
            return False
        with connection.begin():
            found = find_table(connection, address, table)
            Definition(found.name, MetaData(), schema=found.schema).drop(connection)
    return True


def _digest(address: Address, table: str) -> str:
    place = f"{address.name} 表 {table}"
    with address.connected(READ) as connection, told(place), connection.begin():
        found = find_table(connection, address, table)
        total = 0
        with ready(connection).execution_options(yield_per=PAGE).execute(select(found.clause)) as rows:
            for row in rows:
                total += int.from_bytes(hashlib.sha256(encoded(tuple(row))).digest())
    names = hashlib.sha256(encoded(found.columns)).hexdigest()
    return f"{names}:{total % SUMS:064x}"
