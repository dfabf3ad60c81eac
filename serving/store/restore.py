"""Restoring: a back-up becomes the store, the models and the rules, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import DataError, IntegrityError

from nlp.errors import InputError
from nlp.registry import DEFAULT, models_folder
from serving.store.archive import Archive
from serving.store.backup import revision_of
from serving.store.engine import reading, writing
from serving.store.rows import Told, load
from serving.store.schema import config_of, migrate
from serving.store.swap import Swap, Swaps
from serving.store.tables import metadata

PATIENCE = "10s"  # that a restore waits for others who use PostgreSQL's tables


class NotEmpty(InputError):
    """{place}不是空的：恢复会替换它。确定要替换，请先备份现有的，再加 --yes"""


@dataclass(frozen=True)
class Goals:
    """Where a back-up goes.

    rules: the office's folder; without one, `rules` under the home. secret: the present one, none where there is none
    yet. secret_file: where one of the back-up goes, none where the settings hold it. replace: what is there may go.
    lost: the secret of the back-up is gone for good.
    """

    home: Path
    rules: Path | None
    secret: bytes | None
    secret_file: Path | None
    replace: bool = False
    lost: bool = False

    @property
    def rules_folder(self) -> Path:
        """Where the rules go."""
        return self.rules or self.home / "rules"


def restore(engine: Engine, goals: Goals, archive: Archive, told: Told) -> None:
    """Put a back-up in the place of what is there.

    Raises `InputError` for a back-up that is damaged, changed, of a later version or of another secret, and `NotEmpty`
    where something would be lost; then, as after any other failure, nothing has changed.
    """
    archive.check()
    _check_secret(goals, archive)
    _check_revision(archive)
    if not goals.replace:
        _check_empty(engine, goals, archive)
    with Swaps() as swaps:
        for swap in _stage(goals, archive):
            swaps.add(swap)
        with _refused(), writing(engine) as connection:
            _refill(connection, archive, told)
            swaps.go()
    migrate(engine)


def _check_secret(goals: Goals, archive: Archive) -> None:
    held = archive.secret
    if held and not archive.manifest.fits(held):
        raise InputError(place="备份", reason="里面的秘密不是这份备份的")
    present = goals.secret
    if present and archive.manifest.fits(present):
        archive.check_seal(present)
    elif held and goals.secret_file:
        archive.check_seal(held)
        if present and not goals.replace:
            raise NotEmpty(place=f"{goals.secret_file} 有另一个秘密，")
    elif not goals.lost:
        reason = "备份用的是另一个秘密：请先放回原来的 JIESU_SECRET 或主目录里的 secret 文件；真丢了，加 --lost-secret"
        raise InputError(place="秘密", reason=reason)


def _check_revision(archive: Archive) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config_of()).walk_revisions()}
    if archive.manifest.revision not in known:
        reason = f"备份的版本 {archive.manifest.revision} 比这个程序新，请用更新的程序恢复"
        raise InputError(place="备份", reason=reason)


def _check_empty(engine: Engine, goals: Goals, archive: Archive) -> None:
    with reading(engine) as connection:
        if any(connection.scalar(select(func.count()).select_from(table)) for table in _present(connection)):
            raise NotEmpty(place="存储")
    models = models_folder(goals.home)
    kept = [path for path in models.glob("*") if path.name != DEFAULT and not path.name.startswith(".")]
    if kept and archive.names("models"):
        raise NotEmpty(place=f"{models} ")
    if archive.names("rules") and any(goals.rules_folder.glob("*")):
        raise NotEmpty(place=f"{goals.rules_folder} ")


def _present(connection: Connection) -> list[Table]:
    names = set(inspect(connection).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in names]


def _stage(goals: Goals, archive: Archive) -> Iterator[Swap]:
    """The files of the back-up, written beside the places that they go to."""
    for folder, target in (("models", models_folder(goals.home)), ("rules", goals.rules_folder)):
        if archive.names(folder):
            swap = Swap(target)
            yield swap
            archive.extract(folder, swap.draft)
    secret = archive.secret
    if secret and goals.secret_file and secret != goals.secret:
        swap = Swap(goals.secret_file)
        yield swap
        swap.target.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(swap.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(secret)


def _refill(connection: Connection, archive: Archive, told: Told) -> None:
    """Make the tables anew at the revision of the back-up and load its rows."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    if revision_of(connection) is not None:
        connection.execute(text("DROP TABLE alembic_version"))
    metadata.drop_all(connection)
    manifest = archive.manifest
    command.upgrade(config_of(connection), manifest.revision)
    made = MetaData()
    made.reflect(connection, only=lambda name, _: name in manifest.tables)
    if set(made.tables) != set(manifest.tables):
        raise InputError(place="备份", reason=f"里面的表不是版本 {manifest.revision} 的表")
    for table in made.sorted_tables:
        with archive.open(f"tables/{table.name}.jsonl.gz") as file:
            if load(connection, table, file, told) != manifest.tables[table.name]:
                raise InputError(place=f"备份里的表 {table.name}", reason="行数不符")


@contextmanager
def _refused() -> Iterator[None]:
    """What the database says of a row that it does not take."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise InputError(place="备份", reason=f"数据库不接受里面的行（{type(error.orig).__name__}）") from error
