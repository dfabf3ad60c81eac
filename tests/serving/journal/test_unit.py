"""A unit: collected, written in one go, forgotten up to a place."""

from __future__ import annotations

from sqlalchemy import Engine, select

from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.journal.unit import Unit
from serving.store.engine import reading, writing
from serving.store.tables import audit, rates

SECRET = b"x" * 32


def rate(name: str, count: int = 1) -> dict[str, str | int]:
    return {"name": name, "count": count, "expires_at": 5}


def record(name: str) -> Record:
    return Record(id=name, at=1, actor="k", action="a")


def names(engine: Engine) -> tuple[list[str], list[str]]:
    with reading(engine) as connection:
        rows = connection.scalars(select(rates.c.name).order_by(rates.c.name))
        return list(rows), list(connection.scalars(select(audit.c.id).order_by(audit.c.seq)))


def test_nothing_is_written_before_it_is_closed(engine: Engine) -> None:
    with writing(engine) as connection:
        unit = Unit(connection, Chain(SECRET))
        unit.add(rates, rate("a"), rate("b"))
        unit.note(record("1"), record("2"))
        assert connection.scalars(select(rates.c.name)).all() == []
        unit.close()
    assert names(engine) == (["a", "b"], ["1", "2"])


def test_what_is_there_already_is_left_as_it_is(engine: Engine) -> None:
    for count in (1, 2):
        with writing(engine) as connection:
            unit = Unit(connection, Chain(SECRET))
            unit.add(rates, rate("a", count))
            unit.note(record("1"))
            unit.close()
    with reading(engine) as connection:
        assert connection.scalar(select(rates.c.count)) == 1
    assert names(engine)[1] == ["1"]


def test_put_says_whether_it_was_new(engine: Engine) -> None:
    with writing(engine) as connection:
        unit = Unit(connection, Chain(SECRET))
        assert unit.put(rates, rate("a")) is True
        assert unit.put(rates, rate("a")) is False
        unit.close()


def test_back_forgets_what_came_since(engine: Engine) -> None:
    with writing(engine) as connection:
        unit = Unit(connection, Chain(SECRET))
        unit.add(rates, rate("a"))
        unit.note(record("1"))
        place = unit.place
        unit.add(rates, rate("b"))
        unit.note(record("2"))
        unit.back(place)
        unit.add(rates, rate("c"))
        unit.close()
    assert names(engine) == (["a", "c"], ["1"])
