"""The schema: a database is brought up to date before it is used."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from nlp.errors import InputError
from serving.store.engine import writing

LOCK = 5143310  # of PostgreSQL's advisory locks: two instances that start at once migrate one after the other


def migrate(engine: Engine) -> None:
    """Bring a database up to date, whole or not at all; raises `InputError` for one of a later version."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells every start what it found
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = config_of(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in known:
            reason = f"数据库的版本 {found} 比这个程序新，请用更新的程序打开"
            raise InputError(place="存储", reason=reason)
        command.upgrade(config, "head")


def config_of(connection: Connection | None = None) -> Config:
    """Where the steps stand, and the connection on which they are to run."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config
