"""The chain of records: each hash is keyed and covers the record and the hash before it.

So no record can be changed, left out or moved by whoever lacks the secret (Schneier and Kelsey 1999, Secure audit logs
to support computer forensics). One thing the chain alone cannot tell: that somebody put back an older state of it,
signed head and all. For that a head is noted elsewhere (`jiesu audit verify --expect`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Select, bindparam, select, text

from nlp.errors import JiesuError
from serving.audit.record import Record, detail_digest
from serving.store.tables import audit, audit_details, audit_marks

HEAD, CHECKPOINT = "head", "checkpoint"
START = "0" * 64  # the hash before the first record
COVERED = ("seq", "id", "at", "actor", "action", "object", "outcome", "model", "rule", "detail_digest")
BEGIN = text(
    "INSERT INTO audit_marks (name, seq, hash, at, signature) VALUES (:name, :seq, :hash, :at, :signature) "
    "ON CONFLICT DO NOTHING"
)
# Statements are made once: SQLAlchemy then need not work out each time that it knows them.
HOLDS = select(audit.c.seq).where(audit.c.id == bindparam("record"))
ADD, ADD_DETAILS = audit.insert(), audit_details.insert()
MOVE = audit_marks.update().where(audit_marks.c.name == bindparam("mark"))


class ChainBroken(JiesuError):
    """审计链不对：{reason}"""


@dataclass(frozen=True)
class Mark:
    """Where the chain stands: the last record, or the last one pruned, its hash, and when (milliseconds)."""

    seq: int
    hash: str
    at: int


NOWHERE = Mark(0, START, 0)  # before the first record


class Chain:
    """Adds records to the chain and knows how their hashes come about.

    secret: the server's, at least 32 bytes; whoever lacks it cannot make a chain that verifies.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"jiesu audit", "sha256")

    def append(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write records, in order, after the last one; a transaction that does so holds up all others that do.

        Where the first is there already, so are the others: a commit of which nobody heard is not repeated. Raises
        `ChainBroken` where the head is not ours: going on from it would sign what somebody cut off.
        """
        if not records:
            return
        head = self.lock(connection)
        if self.holds(connection, records[0].id):
            return
        rows, details, seq, last = [], [], head.seq, head.hash
        for record in records:
            detail = record.sealed(secrets.token_hex(16))
            seq += 1
            row = {name: getattr(record, name) for name in COVERED[1:-1]} | {
                "seq": seq, "detail_digest": detail_digest(record.subject, detail),
            }  # fmt: skip
            last = row["hash"] = self.hash(last, row)
            rows.append(row)
            details.append({"id": record.id, "subject": record.subject, "content": detail})
        connection.execute(ADD, rows)
        connection.execute(ADD_DETAILS, details)
        self.put_mark(connection, HEAD, Mark(seq, last, records[-1].at))

    def holds(self, connection: Connection, record: str) -> bool:
        """Whether a record, by its id, is in the chain."""
        return connection.scalar(HOLDS, {"record": record}) is not None

    def hash(self, before: str, row: Mapping[str, Any] | RowMapping) -> str:
        """The hash of a record after the one whose hash is `before`."""
        covered = orjson.dumps([before, *(row[name] for name in COVERED)])
        return hmac.digest(self._key, covered, hashlib.sha256).hex()

    def lock(self, connection: Connection) -> Mark:
        """The last record; nobody else adds one before the transaction ends. Raises `ChainBroken`."""
        row = connection.execute(LOCK).one_or_none()
        if row is None:  # a row that is not there holds up nobody
            begun = {"name": HEAD, **vars(NOWHERE), "signature": self.signature(HEAD, NOWHERE)}
            connection.execute(BEGIN, begun)
            row = connection.execute(LOCK).one()
        return self._known(HEAD, row)

    def mark(self, connection: Connection, name: str) -> Mark:
        """A signed place in the chain; where none is written, the one before the first. Raises `ChainBroken`."""
        row = connection.execute(_marked(name)).one_or_none()
        return self._known(name, row) if row else NOWHERE

    def put_mark(self, connection: Connection, name: str, mark: Mark) -> None:
        """Write a place in the chain, signed."""
        values = {**vars(mark), "signature": self.signature(name, mark)}
        if not connection.execute(MOVE, values | {"mark": name}).rowcount:
            connection.execute(audit_marks.insert().values(name=name, **values))

    def signature(self, name: str, mark: Mark) -> str:
        """What proves that a place in the chain was written by whoever holds the secret."""
        return hmac.digest(self._key, orjson.dumps([name, mark.seq, mark.hash, mark.at]), hashlib.sha256).hex()

    def is_signed(self, row: Any) -> bool:
        """Whether a row of `audit_marks` was written by whoever holds the secret."""
        try:
            wanted = self.signature(row.name, Mark(row.seq, row.hash, row.at))
        except TypeError:  # SQLite keeps whatever it is given, bytes among the texts
            return False
        return hmac.compare_digest(str(row.signature).encode(), wanted.encode())

    def _known(self, name: str, row: Any) -> Mark:
        if not self.is_signed(row):
            raise ChainBroken(reason=f"{name} 的签名不对：它被改过，或者服务器的秘密换过")
        return Mark(row.seq, row.hash, row.at)


def _marked(name: str) -> Select[Any]:
    return select(audit_marks).where(audit_marks.c.name == name)


LOCK = _marked(HEAD).with_for_update()
