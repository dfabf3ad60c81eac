"""Back-up: the store as it stood at one moment, the models and the rules in one file, while the service goes on.

A tar file: `manifest.json`, what follows, with digests, sealed; `tables/<table>.jsonl.gz`, the rows, the same from
SQLite as from PostgreSQL; `models/…` and `rules/…`, the registry of models and the office's own rules; `secret`, the
server's secret, only where that was asked for.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, text

from nlp.errors import InputError
from nlp.registry import CURRENT, HISTORY, models_folder
from serving.store.archive import PIECE, open_archive
from serving.store.engine import reading
from serving.store.manifest import FILE, NAME, SECRET, Manifest, Member, fingerprint
from serving.store.rows import Told, dump
from serving.store.tables import PASSING, metadata

CHANGING = (CURRENT, HISTORY)  # of the registry: read in one piece


@dataclass(frozen=True)
class Sources:
    """What is backed up beside the store: the home (its models), the rules' folder, the secret."""

    home: Path
    rules: Path | None
    secret: bytes
    with_secret: bool = False


def back_up(engine: Engine, sources: Sources, out: Path, at: int, told: Told) -> Manifest:
    """Write a back-up and read it again; the file is there only when it is whole. Others may write meanwhile.

    at: now, in milliseconds. Raises `InputError` where the file is there already or the store was never used.
    """
    if out.exists():
        raise InputError(place=out, reason="已经有这个文件，不覆盖")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            draft = Path(folder) / "draft.tar"
            _write(engine, sources, draft, at, told)
            with open_archive(draft) as archive:
                archive.check()
            _kept(draft, out)
            return archive.manifest
    except OSError as error:
        raise InputError(place=out, reason=f"写不了（{error.strerror}）") from error


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema; none where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def snapshot(connection: Connection) -> None:
    """Have all that this transaction reads be of one moment; SQLite's log does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def _write(engine: Engine, sources: Sources, draft: Path, at: int, told: Told) -> None:
    with reading(engine) as connection:
        snapshot(connection)
        revision = revision_of(connection)
        if revision is None:
            raise InputError(place="存储", reason="还没有用过，没有可备份的")
        tables = _dump_tables(connection, draft.parent, told)
    held = dict(_contents(sources, draft.parent, tables))
    manifest = Manifest(
        program=version("jiesu"),
        at=at,
        database=engine.dialect.name,
        revision=revision,
        tables=tables,
        files={name: _member(content) for name, content in held.items()},
        secret=fingerprint(sources.secret),
    ).sealed(sources.secret)
    _pack(draft, {NAME: manifest.model_dump_json().encode(), **held}, at)


def _dump_tables(connection: Connection, folder: Path, told: Told) -> dict[str, int]:
    """Rows by table; the tables as the database has them, which may be of an earlier revision."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in metadata.tables and name not in PASSING)
    counts = {}
    for table in found.sorted_tables:
        with (folder / f"{table.name}.jsonl.gz").open("wb") as file:
            counts[table.name] = dump(connection, table, file, told)
    return counts


Content = Path | bytes
"""A file, or what is in it already."""


def _contents(sources: Sources, folder: Path, tables: dict[str, int]) -> Iterator[tuple[str, Content]]:
    """Every member's name and content: what changes first, so that a version it names is there."""
    if sources.with_secret:
        yield SECRET, sources.secret
    for table in tables:
        yield f"tables/{table}.jsonl.gz", folder / f"{table}.jsonl.gz"
    models = models_folder(sources.home)
    for name in CHANGING:
        if (models / name).is_file():
            yield f"models/{name}", (models / name).read_bytes()
    yield from _files("models", models, set(CHANGING))
    if sources.rules:
        yield from _files("rules", sources.rules, set())


def _files(name: str, folder: Path, without: set[str]) -> Iterator[tuple[str, Content]]:
    """The files under a folder; links, drafts and other hidden things are left out."""
    for path in sorted(folder.rglob("*")):
        member = f"{name}/{path.relative_to(folder).as_posix()}"
        if path.is_file() and not path.is_symlink() and FILE.fullmatch(member) and path.name not in without:
            yield member, path


def _opened(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def _member(content: Content) -> Member:
    digest, size = hashlib.sha256(), 0
    with _opened(content) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return Member(size=size, sha256=digest.hexdigest())


def _pack(draft: Path, held: dict[str, Content], at: int) -> None:
    """Write the members into a tar file that only its owner may read."""
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, content in held.items():
                with _opened(content) as source:
                    info = tarfile.TarInfo(name)
                    info.size, info.mode, info.mtime = source.seek(0, os.SEEK_END), 0o600, at // 1000
                    source.seek(0)
                    tar.addfile(info, source)
        file.flush()
        os.fsync(file.fileno())


def _kept(draft: Path, out: Path) -> None:
    """Give the file its name, on disk too."""
    draft.rename(out)
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
