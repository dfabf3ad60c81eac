"""The commands of the store: bring it up to date, look at it, back it up, restore it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, func, inspect, make_url, select
from ulid_transform import ulid_now

from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.journal.journal import Journal
from serving.options import read_settings
from serving.secret import FILE, open_secret
from serving.settings import Settings
from serving.store.archive import open_archive
from serving.store.backup import Sources, back_up, revision_of
from serving.store.engine import open_engine, reading
from serving.store.manifest import Manifest
from serving.store.restore import Goals, restore
from serving.store.rows import Told
from serving.store.schema import migrate
from serving.store.tables import metadata
from serving.times import millis, moment

store_commands = typer.Typer(no_args_is_help=True, help="存储：升级、查看、备份、恢复。")
BackupArgument = Annotated[Path, typer.Argument(help="备份文件（.tar）")]
stderr = Console(stderr=True)


@store_commands.command("migrate")
def migrate_command() -> None:
    """把存储的表升级到这个程序的版本；已是最新的不动。"""
    with _engine(read_settings()) as engine:
        migrate(engine)
        _say(f"存储的版本：{_revision(engine)}")


@store_commands.command("info")
def info_command(
    backup: Annotated[Path | None, typer.Argument(help="备份文件；不给则看存储本身")] = None,
) -> None:
    """看存储有什么；给出备份文件，则逐个核对里面的内容。"""
    settings = read_settings()
    if backup:
        with open_archive(backup) as archive:
            archive.check()
            _tell(archive.manifest, settings)
        typer.echo("完整：每个文件的 SHA-256 都相符")
        return
    with _engine(settings) as engine:
        typer.echo(f"存储：{make_url(settings.store_url).render_as_string(hide_password=True)}")
        typer.echo(f"版本：{_revision(engine) or '还没有用过'}")
        for table, rows in _counts(engine).items():
            typer.echo(f"  {table}：{rows} 行")


@store_commands.command("backup")
def backup_command(
    out: BackupArgument,
    with_secret: Annotated[bool, typer.Option("--with-secret", help="把服务器的秘密也写进去；文件要锁好")] = False,
) -> None:
    """把存储、登记的模型、本单位的规则写进一个文件；服务不用停。"""
    settings = read_settings()
    secret = open_secret(settings)
    sources = Sources(settings.home, settings.rules, secret, with_secret)
    with _engine(settings) as engine:
        with _progress("备份") as told:
            manifest = back_up(engine, sources, out, millis(settings.now()), told)
        _note(engine, secret, settings, "backup", manifest)
    _say(f"已写入 {out}：{manifest.rows} 行，{len(manifest.files)} 个文件，{out.stat().st_size / 2**20:.1f} MB")
    if not with_secret:
        _say("服务器的秘密不在里面：请另外保管 JIESU_SECRET 或主目录里的 secret 文件，没有它恢复后密钥和审计链都用不了")


@store_commands.command("restore")
def restore_command(
    backup: BackupArgument,
    yes: Annotated[bool, typer.Option("--yes", help="替换现有的存储、模型和规则")] = False,
    lost_secret: Annotated[
        bool, typer.Option("--lost-secret", help="原来的秘密丢了：仍然恢复，旧密钥作废，旧审计链验不了")
    ] = False,
) -> None:
    """从备份恢复，要么全部、要么一点不动；先停服务。"""
    settings = read_settings()
    goals = _goals(settings, replace=yes, lost=lost_secret)
    with open_archive(backup) as archive, _engine(settings) as engine:
        with _progress("恢复") as told:
            restore(engine, goals, archive, told)
        manifest = archive.manifest
        _note(engine, open_secret(settings), settings, "restore", manifest)
        _say(f"已恢复 {manifest.rows} 行；请运行 jiesu audit verify 验审计链")
        if archive.names("rules") and settings.rules is None:
            _say(f"规则在 {goals.rules_folder}：启动服务前请设 JIESU_RULES")


def _goals(settings: Settings, *, replace: bool, lost: bool) -> Goals:
    """Where a back-up goes; a home without a secret gets none before the restore."""
    file = settings.home / FILE
    known = settings.secret is not None or file.exists()
    return Goals(
        settings.home,
        settings.rules,
        secret=open_secret(settings) if known else None,
        secret_file=None if settings.secret else file,
        replace=replace,
        lost=lost,
    )


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings.store_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _progress(what: str) -> Iterator[Told]:
    """Tells on stderr, for a person who waits, which table is at how many rows."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task(what)
        yield lambda table, rows: progress.update(task, description=f"{what} {table} {rows} 行")


def _note(engine: Engine, secret: bytes, settings: Settings, action: str, manifest: Manifest) -> None:
    """Tell the audit; a store of an earlier version, saved before it is brought up to date, is left as it is."""
    record = Record(
        id=ulid_now(), at=millis(settings.now()), actor=f"store {action}", action=action, object=manifest.seal
    )
    with reading(engine) as connection:
        if revision_of(connection) != manifest.revision and action == "backup":
            return
    journal = Journal(engine, Chain(secret))
    try:
        journal.write_now(lambda unit: unit.note(record))
    finally:
        journal.close()


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return revision_of(connection)


def _counts(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        names = set(inspect(connection).get_table_names())
        tables = [table for table in metadata.sorted_tables if table.name in names]
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def _tell(manifest: Manifest, settings: Settings) -> None:
    typer.echo(
        f"备份：{moment(manifest.at, settings.zone).isoformat(timespec='seconds')}，写它的程序 {manifest.program}"
    )
    typer.echo(f"版本：{manifest.revision}（来自 {manifest.database}）")
    for table, rows in manifest.tables.items():
        typer.echo(f"  {table}：{rows} 行")
    models = {name.split("/")[1] for name in manifest.files if name.startswith("models/") and name.count("/") > 1}
    typer.echo(f"模型：{'、'.join(sorted(models)) or '没有登记的'}")


def _say(line: str) -> None:
    stderr.print(line, markup=False, highlight=False, soft_wrap=True)
