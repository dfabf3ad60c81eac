"""Verifying: the whole chain is read once, in order and in constant memory, and every fault in it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, Select, exists, select, type_coerce
from sqlalchemy.types import NullType

from serving.audit.chain import CHECKPOINT, COVERED, HEAD, NOWHERE, Chain, Mark
from serving.audit.erasure import FORGET
from serving.audit.record import detail_digest
from serving.audit.retention import PACE
from serving.audit.spans import Spans
from serving.store.engine import reading
from serving.store.tables import audit, audit_details, audit_marks

MOST = 20  # faults that are told one by one
AT_ONCE = 1000  # records that are fetched at once
MARKS = {HEAD: "链头", CHECKPOINT: "检查点", PACE: "清理的时钟"}


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written. seq: the record's number; 0 for none."""

    seq: int
    told: str


@dataclass
class Verified:
    """What verifying found.

    checkpoint, head: as they are written, 0 where they are not. records: how many were read. erased: how many of their
    details were deleted on request. faults: the first of them. count: of all faults.
    """

    checkpoint: Mark = NOWHERE
    head: Mark = NOWHERE
    records: int = 0
    erased: int = 0
    count: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether the chain is as it was written."""
        return not self.count

    def add(self, seq: Any, told: str) -> None:
        """Note a fault."""
        self.count += 1
        if len(self.faults) < MOST:
            self.faults.append(Fault(seq if isinstance(seq, int) else 0, told))


def verify(engine: Engine, chain: Chain, expect: tuple[int, str] | None = None) -> Verified:
    """Verify all that is there at this moment.

    expect: the number and hash of a record that was the head once, noted elsewhere.
    """
    steady = engine
    if engine.dialect.name == "postgresql":  # the marks, the erasures and the records of one and the same moment
        steady = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading(steady) as connection:
        walk = _Walk(connection, chain, expect)
        for row in connection.execution_options(yield_per=AT_ONCE).execute(_records()):
            walk.step(row)
        walk.end()
    return walk.found


class _Walk:
    """Goes along the chain, from the checkpoint to the head.

    last: the last record, as far as the numbers go. unsure: a record is missing before this place, so that the next
    one's hash cannot be computed.
    """

    def __init__(self, connection: Connection, chain: Chain, expect: tuple[int, str] | None) -> None:
        self.found = Verified()
        self._connection = connection
        self._chain = chain
        self._expect = expect
        self._met: Any = None
        self._marks = self._read_marks()
        self._erased = Spans.union(_spans(connection))
        self._last = self.found.checkpoint = self._marks.get(CHECKPOINT, NOWHERE)
        self.found.head = self._marks.get(HEAD, NOWHERE)

    def step(self, row: Row[Any]) -> None:
        """Look at the next record."""
        self.found.records += 1
        if told := self._place(row) or self._change(row):
            self.found.add(row.seq, told)
        if told := self._detail(row):
            self.found.add(row.seq, told)
        if self._expect and row.seq == self._expect[0]:
            self._met = row.hash
        if isinstance(row.seq, int) and row.seq > self._last.seq:
            self._last = Mark(row.seq, row.hash, 0)

    def end(self) -> None:
        """Look at what only the whole shows: the head, details without a record, the place that was noted elsewhere."""
        self._check_end()
        orphans = select(audit_details.c.id).where(~exists().where(audit.c.id == audit_details.c.id)).limit(MOST)
        for orphan in self._connection.execute(orphans).scalars():
            self.found.add(0, f"内容 {orphan} 没有对应的记录")
        if self._expect:
            self._check_expected(*self._expect)

    def _read_marks(self) -> dict[str, Mark]:
        """The places that are signed as they should be."""
        rows = {row.name: row for row in self._connection.execute(select(audit_marks))}
        if HEAD not in rows:
            self.found.add(0, "没有链头：这里从来没有写过审计，或者它被删了")
        for name in [name for name, row in rows.items() if name not in MARKS or not self._chain.is_signed(row)]:
            del rows[name]
            self.found.add(0, f"{MARKS.get(name, '多出来的标记')}的签名不对：它被改过，或者服务器的秘密换过")
        return {name: Mark(row.seq, row.hash, row.at) for name, row in rows.items()}

    def _place(self, row: Row[Any]) -> str:
        """What is wrong with a record's number."""
        if not isinstance(row.seq, int):
            return "编号不是整数"
        last = self._last.seq
        if row.seq <= last:
            return "编号重复" if row.seq > self.found.checkpoint.seq else "已经清理的编号又出现了"
        if row.seq == last + 2:
            return f"之前缺第 {last + 1} 条"
        return f"之前缺第 {last + 1} 到 {row.seq - 1} 条" if row.seq > last + 1 else ""

    def _change(self, row: Row[Any]) -> str:
        try:
            hashed = self._chain.hash(self._last.hash, row._mapping)
        except TypeError:
            hashed = ""
        return "" if hashed == row.hash else "与写下时不同，或者不在原来的位置"

    def _detail(self, row: Row[Any]) -> str:
        """What is wrong with what stands apart from the record."""
        is_erased = row.seq in self._erased if isinstance(row.seq, int) else False
        if row.detail is None:
            self.found.erased += is_erased
            return "" if is_erased else "内容不见了，也没有删除它的记录"
        if is_erased:
            return "按请求删除的内容又出现了"
        return "" if _digest(row) == row.detail_digest else "内容或其归属被改过"

    def _check_end(self) -> None:
        head, last = self.found.head, self._last
        if HEAD not in self._marks:
            return  # told already
        if last.seq < head.seq:
            self.found.add(head.seq, f"末尾缺第 {last.seq + 1} 到 {head.seq} 条")
        elif last.seq > head.seq:
            self.found.add(last.seq, f"链头在第 {head.seq} 条，之后的是后来加的")
        elif last.hash != head.hash:
            self.found.add(last.seq, "最后一条与链头不符")

    def _check_expected(self, seq: int, hash: str) -> None:  # noqa: A002
        """Whether the record that was noted elsewhere is still there, or was pruned."""
        checkpoint = self.found.checkpoint
        if seq < checkpoint.seq:
            return
        met = checkpoint.hash if seq == checkpoint.seq else self._met
        if met is None:
            self.found.add(seq, "记下的这一条已经不在链上：有人放回了更早的数据，或者删掉了末尾")
        elif met != hash:
            self.found.add(seq, "这一条与记下的不同：整条链被换过")


def _records() -> Select[Any]:
    """The records with their details. The latter are read as they are: SQLite may hold anything in any column."""
    raw = type_coerce(audit_details.c.content, NullType()).label("detail")
    columns = [audit.c[name] for name in (*COVERED, "hash")]
    joined = audit.outerjoin(audit_details, audit.c.id == audit_details.c.id)
    return select(*columns, audit_details.c.subject, raw).select_from(joined).order_by(audit.c.seq)


def _digest(row: Row[Any]) -> str:
    try:
        return detail_digest(row.subject, bytes(row.detail))
    except TypeError:
        return ""


def _spans(connection: Connection) -> Iterator[Spans]:
    """The numbers of the records whose details were deleted on request, as each record of that says.

    It is believed here where its detail agrees with it; whether it is itself of the chain shows when the walk comes to
    it.
    """
    for row in connection.execute(_records().where(audit.c.action == FORGET)):
        if row.detail is not None and isinstance(row.seq, int) and _digest(row) == row.detail_digest:
            yield Spans.read(orjson.loads(bytes(row.detail)).get("seqs", ""), row.seq)
