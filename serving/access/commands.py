"""The commands `jiesu keys`."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlp.errors import InputError
from serving.access.keys import ID, Key, Keys
from serving.access.limits import parsed
from serving.access.scope import Scope
from serving.journal.opening import opened_journal
from serving.options import read_settings
from serving.secret import open_secret
from serving.settings import Settings
from serving.times import moment

keys_commands = typer.Typer(no_args_is_help=True, help="访问密钥：发放、列出、作废。")
stderr = Console(stderr=True)
DAYS = {"h": 1 / 24, "d": 1, "w": 7, "y": 365}
SPAN = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="密钥的编号：点号前面的 12 个字符")]
AsJson = Annotated[bool, typer.Option("--json", help="在标准输出上给出 JSON")]
TITLES = ("编号", "名称", "权限", "限额", "发放", "到期", "状态")


@keys_commands.command("create")
def create_command(
    scope: Annotated[
        Scope, typer.Option(help="权限：operator 作决定、反馈；batch 另加成批；data 更正与指标；admin 全部")
    ],
    name: Annotated[str, typer.Option(help="名称：给哪个系统用")] = "",
    expires: Annotated[str, typer.Option(help="多久到期，如 12h、90d、26w、1y；不写则不到期")] = "",
    rate: Annotated[str, typer.Option(help="限额，如 600/minute；几个用分号隔开；不写则不限")] = "",
) -> None:
    """发放一个密钥：只在标准输出上显示这一次，以后谁也看不到。"""
    parsed(rate)
    span = milliseconds(expires) if expires else None
    name = "".join(sign for sign in name if sign.isprintable())
    with _opened() as (keys, _):
        key = keys.create(scope, name, rate, int(time.time() * 1000) + span if span else None)
    print(key)  # noqa: T201


@keys_commands.command("list")
def list_command(as_json: AsJson = False) -> None:
    """列出发放过的密钥；密钥本身谁也看不到。"""
    with _opened() as (keys, settings):
        rows = [_row(key, settings.zone) for key in keys.all()]
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return
    table = Table(*TITLES, title="访问密钥")
    for row in rows:
        table.add_row(*(Text(value or "—", overflow="fold") for value in row.values()))
    Console().print(table)


@keys_commands.command("revoke")
def revoke_command(name: IdArgument) -> None:
    """作废一个密钥：一秒之内，所有正在运行的服务都不再接受它。"""
    found = name.partition(".")[0]  # the whole key does as well, and is not repeated
    if not ID.fullmatch(found):
        raise InputError(place="ID", reason="须是密钥的编号：12 个小写字母或数字；用 jiesu keys list 看有哪些")
    with _opened() as (keys, _):
        done = keys.revoke(found)
    stderr.print(f"{found}：{'已作废' if done else '早已作废'}", markup=False, highlight=False)


def milliseconds(span: str) -> int:
    """A span like `90d`; raises `InputError`."""
    found = SPAN.fullmatch(span)
    if not found:
        raise InputError(place="--expires", reason=f"{span!r} 须写成 12h、90d、26w 或 1y")
    return round(int(found[1]) * DAYS[found[2]] * 86_400_000)


@contextmanager
def _opened() -> Iterator[tuple[Keys, Settings]]:
    """The keys of the office, and its settings."""
    settings = read_settings()
    with opened_journal(settings) as journal:
        yield Keys(journal, open_secret(settings)), settings


def _row(key: Key, zone: tzinfo) -> dict[str, str | None]:
    """What the list says of a key: everything but its hash."""
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope.value,
        "rate": key.rate,
        "created_at": _told(key.created_at, zone),
        "expires_at": None if key.expires_at is None else _told(key.expires_at, zone),
        "state": _state(key),
    }


def _told(at: int, zone: tzinfo) -> str:
    return moment(at, zone).isoformat(timespec="seconds")


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return "作废"
    return "有效" if key.is_good(int(time.time() * 1000)) else "过期"
