"""The journal: shared commits, errors that stay alone, and nothing twice when nobody heard of a commit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import OperationalError
from ulid_transform import ulid_now

from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.audit.verify import verify
from serving.journal import journal as module
from serving.journal.journal import Journal, JournalFull
from serving.journal.unit import Unit
from serving.store.engine import StoreDown, open_engine
from serving.store.tables import audit, rates
from tests.postgres import Postgres

SECRET = b"x" * 32


def keep(name: str) -> Callable[[Unit], str]:
    """A write of one row and one record, whose ids are made before."""
    record = Record(id=ulid_now(), at=1, actor="k", action="a", object=name)

    def write(unit: Unit) -> str:
        unit.add(rates, {"name": name, "count": 1, "expires_at": 5})
        unit.note(record)
        return name

    return write


def held(journal: Journal) -> tuple[list[str], list[str]]:
    """The names of the rows, and the objects of the records."""

    def read(connection: Connection) -> tuple[list[str], list[str]]:
        rows = connection.scalars(select(rates.c.name).order_by(rates.c.name))
        return list(rows), list(connection.scalars(select(audit.c.object).order_by(audit.c.object)))

    return journal.read(read)


def commits(engine: Engine) -> list[Connection]:
    seen: list[Connection] = []
    event.listen(engine, "commit", seen.append)
    return seen


class Gate:
    """A write that holds the journal up until it is let go."""

    def __init__(self, journal: Journal) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: journal.write_now(self._write))
        self._thread.start()
        assert self.begun.wait(10)

    def _write(self, _: Unit) -> None:
        self.begun.set()
        assert self.go.wait(10)

    def open(self) -> None:
        self.go.set()
        self._thread.join()


def test_many_writes_share_a_commit(journal: Journal) -> None:
    gate, seen = Gate(journal), commits(journal.engine)

    async def many() -> list[str]:
        writes = asyncio.gather(*(journal.write(keep(f"{number:03}")) for number in range(200)))
        await asyncio.sleep(0)
        assert journal.depth == 200
        gate.go.set()
        return list(await writes)

    assert asyncio.run(many()) == [f"{number:03}" for number in range(200)]
    gate.open()
    assert len(seen) == 2  # the gate's, and that of all the others
    assert held(journal)[0] == held(journal)[1] == [f"{number:03}" for number in range(200)]


def test_writes_of_one_turn_are_one_group_though_nothing_else_is_written(journal: Journal) -> None:
    """The thread waits; had the first write called it, it would have gone without the others."""
    seen = commits(journal.engine)

    async def slowly(name: str) -> str:
        time.sleep(0.002)  # what is worked out before a write, while the thread could have begun
        return await journal.write(keep(name))

    async def many() -> list[str]:
        return list(await asyncio.gather(*(slowly(f"{number:02}") for number in range(20))))

    assert len(asyncio.run(many())) == 20
    assert len(seen) == 1


def test_a_write_that_raises_takes_nothing_with_it(journal: Journal) -> None:
    def fail(unit: Unit) -> None:
        unit.put(rates, {"name": "at once", "count": 1, "expires_at": 5})
        keep("collected")(unit)
        raise ZeroDivisionError

    async def three() -> list[Any]:
        writes = (journal.write(write) for write in (keep("a"), fail, keep("b")))
        return await asyncio.gather(*writes, return_exceptions=True)

    gate = Gate(journal)
    threading.Timer(0.05, gate.go.set).start()
    first, second, third = asyncio.run(three())
    gate.open()
    assert (first, third) == ("a", "b")
    assert isinstance(second, ZeroDivisionError)
    assert held(journal) == (["a", "b"], ["a", "b"])


def test_rows_that_the_database_refuses_are_told_to_their_writer_alone(journal: Journal) -> None:
    def refused(unit: Unit) -> None:
        unit.add(rates, {"name": "bad", "count": None, "expires_at": 5})

    async def three() -> list[Any]:
        writes = (journal.write(write) for write in (keep("a"), refused, keep("b")))
        return await asyncio.gather(*writes, return_exceptions=True)

    gate = Gate(journal)
    threading.Timer(0.05, gate.go.set).start()
    first, second, third = asyncio.run(three())
    gate.open()
    assert (first, third) == ("a", "b")
    assert isinstance(second, Exception)
    assert held(journal) == (["a", "b"], ["a", "b"])


@pytest.mark.parametrize("is_done", [True, False])
def test_a_commit_of_which_nobody_heard_is_not_repeated(journal: Journal, is_done: bool) -> None:
    """The connection breaks at the commit, once: after the database had done it, or before."""
    told = []

    def cut(connection: Connection) -> None:
        if told:
            return
        told.append(connection)
        raw = connection.connection.dbapi_connection
        assert raw is not None
        if is_done:
            raw.commit()
        raise OperationalError("COMMIT", {}, ConnectionError("cut"))

    event.listen(journal.engine, "commit", cut)
    assert journal.write_now(keep("a")) == "a"
    assert journal.write_now(keep("b")) == "b"
    assert len(told) == 1
    assert held(journal) == (["a", "b"], ["a", "b"])
    assert verify(journal.engine, journal.chain).is_sound


def test_whoever_waits_too_long_is_told(engine: Engine) -> None:
    journal = Journal(engine, Chain(SECRET), patience=0.3)

    def cut(_: Connection) -> None:
        raise OperationalError("BEGIN", {}, ConnectionError("away"))

    event.listen(engine, "begin", cut)
    with pytest.raises(StoreDown, match="ConnectionError"):
        journal.write_now(keep("a"))
    event.remove(engine, "begin", cut)
    assert journal.write_now(keep("b")) == "b"
    assert held(journal) == (["b"], ["b"])
    journal.close()


def test_close_writes_what_waits(engine: Engine, store_url: str) -> None:
    journal = Journal(engine, Chain(SECRET))
    gate = Gate(journal)
    waiting = [threading.Thread(target=lambda name=name: journal.write_now(keep(name))) for name in "abc"]
    for thread in waiting:
        thread.start()
    while journal.depth < 3:
        pass
    threading.Timer(0.05, gate.go.set).start()
    journal.close()
    for thread in waiting:
        thread.join()
    gate.open()
    again = Journal(open_engine(store_url), Chain(SECRET))
    assert held(again)[0] == ["a", "b", "c"]
    again.close()
    with pytest.raises(JournalFull, match="正在关闭"):
        journal.write_now(keep("d"))


def test_beyond_its_queue_a_write_is_sent_away(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 8)
    gate = Gate(journal)

    async def many() -> list[Any]:
        writes = asyncio.gather(*(journal.write(keep(str(number))) for number in range(9)), return_exceptions=True)
        await asyncio.sleep(0)
        gate.go.set()
        return list(await writes)

    answers = asyncio.run(many())
    gate.open()
    assert answers[:8] == [str(number) for number in range(8)]
    assert isinstance(answers[8], JournalFull)


def test_who_gives_up_before_it_is_written_leaves_the_others_alone(journal: Journal) -> None:
    async def two() -> None:
        given_up = asyncio.ensure_future(journal.write(keep("a")))
        kept = asyncio.ensure_future(journal.write(keep("b")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        gate.go.set()
        assert await kept == "b"

    gate = Gate(journal)
    asyncio.run(two())
    gate.open()
    assert held(journal)[0] == ["b"]


@pytest.mark.system
def test_a_server_that_is_killed_and_comes_back_is_waited_for(postgres: Postgres) -> None:
    engine = open_engine(postgres.create())
    from serving.store.schema import migrate

    migrate(engine)
    journal = Journal(engine, Chain(SECRET), patience=60)
    assert journal.write_now(keep("a")) == "a"
    postgres.kill()
    answers: list[str] = []
    waiting = threading.Thread(target=lambda: answers.append(journal.write_now(keep("b"))))
    waiting.start()
    postgres.start()
    waiting.join(60)
    assert answers == ["b"]
    assert held(journal) == (["a", "b"], ["a", "b"])
    assert journal.read(lambda connection: connection.scalar(select(func.count()).select_from(audit))) == 2
    assert verify(engine, journal.chain).is_sound
    journal.close()
