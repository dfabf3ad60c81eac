"""Migrations: twice, two at once, and never by an older program; what they make is what the tables say."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from nlp.errors import InputError
from serving.store.engine import open_engine, reading, writing
from serving.store.schema import migrate
from serving.store.tables import metadata


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_lengths_are_those_of_the_tables(engine: Engine) -> None:
    """What `compare_metadata` does not see: a name of any length in the one, of 200 characters in the other."""
    with reading(engine) as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            lengths = {
                column["name"]: getattr(column["type"], "length", None) for column in found.get_columns(table.name)
            }
            assert lengths == {column.name: getattr(column.type, "length", None) for column in table.columns}, (
                table.name
            )


def test_again_changes_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO rates VALUES ('a', 1, 2)"))
    migrate(engine)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count FROM rates")) == 1


def test_several_at_once(store_url: str) -> None:
    engines = [open_engine(store_url) for _ in range(4)]
    faults: list[BaseException] = []

    def start(engine: Engine) -> None:
        try:
            migrate(engine)
        except BaseException as error:  # a thread's error would be lost
            faults.append(error)

    threads = [threading.Thread(target=start, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engines[0]) as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for engine in engines:
        engine.dispose()
    assert faults == []


def test_a_later_version_is_refused_and_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="9999"):
        migrate(engine)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
