"""Both databases: what an engine promises of a transaction, and what is refused."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from nlp.errors import InputError
from serving.store import engine as module
from serving.store.engine import StoreDown, open_engine, reading, writing
from serving.store.tables import decisions, feedback, rates
from tests.rows import row

ROW = {"name": "a", "count": 1, "expires_at": 2**40}


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///:memory:", "mysql://u@h/d", "oracle://h/d", "store.db", "sqlserver://h/d"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="JIESU_STORE"):
        open_engine(url)


def test_the_reason_of_a_refusal_holds_no_password() -> None:
    with pytest.raises(InputError) as refused:
        open_engine("mysql://root:geheim@host/db")
    assert "geheim" not in str(refused.value)


def test_sqlite_makes_the_folder_and_is_durable(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a' / 'b' / 'store.db'}")
    with reading(engine) as connection:
        told = {
            name: connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_raises_leaves_nothing(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(rates.insert().values(ROW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(rates)) == 0


def test_writers_that_first_read_wait_for_each_other(engine: Engine) -> None:
    """Ten threads that read a number and write it back, one higher: none is refused, none is lost."""
    with writing(engine) as connection:
        connection.execute(rates.insert().values(ROW))

    def raise_it() -> None:
        with writing(engine) as connection:
            found = connection.scalar(select(rates.c.count).with_for_update())
            time.sleep(0.002)
            connection.execute(rates.update().values(count=(found or 0) + 1))

    threads = [threading.Thread(target=raise_it) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.scalar(select(rates.c.count)) == 11


def test_feedback_goes_with_its_decision(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(decisions.insert().values(row(decisions, id="D")))
        connection.execute(feedback.insert().values(row(feedback, id="F", decision="D")))
        connection.execute(decisions.delete())
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(feedback)) == 0


def test_a_database_that_is_locked_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY", 0.05)
    engines = [open_engine(f"sqlite:///{tmp_path / 'store.db'}") for _ in range(2)]
    with writing(engines[0]), pytest.raises(StoreDown, match="locked"), writing(engines[1]):
        pass
    for engine in engines:
        engine.dispose()


@pytest.mark.system
def test_a_server_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(StoreDown), reading(engine):
        pass
