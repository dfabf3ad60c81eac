"""The commands `jiesu events`: what was sent to whom, dead letters sent anew, a target tried."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import RowMapping
from ulid_transform import ulid_now

from nlp.errors import InputError, JiesuError
from serving.audit.record import Record
from serving.events.deliveries import DEAD, listed, missing, replay
from serving.events.kinds import PING
from serving.events.outbox import cloud_event
from serving.events.post import Post, Reply
from serving.events.targets import Target, Targets
from serving.journal.journal import Journal
from serving.journal.opening import opened_journal
from serving.journal.unit import Unit
from serving.options import read_settings
from serving.settings import Settings
from serving.times import millis, moment

events_commands = typer.Typer(no_args_is_help=True, help="往外的通知：看送到没有、重送、试一个目标。")
stderr = Console(stderr=True)
AsJson = Annotated[bool, typer.Option("--json", help="在标准输出上给出 JSON")]
TITLES = ("事件", "种类", "时间", "目标", "状态", "次数", "下次", "上次的错")
STATES = {"waiting": "待送", "done": "送到", "dead": "死信"}


class NotDelivered(JiesuError):
    """目标“{name}”没有收下：{reason}"""


@events_commands.command("list")
def list_command(
    dead: Annotated[bool, typer.Option("--dead", help="只看死信：试满次数、或对方说不要了的")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最多几行，最新的在前")] = 100,
    as_json: AsJson = False,
) -> None:
    """列出通知：送给谁、送到没有、上次为什么没送到。"""
    with _opened() as (journal, settings):
        rows = [_row(found, settings) for found in journal.read(lambda store: listed(store, limit, dead=dead))]
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return
    table = Table(*TITLES, title="死信" if dead else "通知")
    for row in rows:
        shown = row | {"state": STATES.get(row["state"], row["state"])}
        table.add_row(*(Text(str(value), overflow="fold") for value in shown.values()))
    Console().print(table)


@events_commands.command("replay")
def replay_command(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="事件的编号，送到过的也再送")] = None,
    target: Annotated[str | None, typer.Option(help="只送给这个目标")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="重送全部死信")] = False,
) -> None:
    """重送：从头再试，编号不变，收过的一方据此认得出。"""
    if bool(ids) == all_dead:
        raise InputError(place="jiesu events replay", reason="要么给出事件编号，要么 --all-dead")
    with _opened() as (journal, settings):
        targets = Targets.read(settings.webhooks)
        names = [_named(targets, target).name] if target else [one.name for one in targets.target]
        unknown = journal.read(lambda store: missing(store, ids or ()))
        if unknown:
            raise InputError(place="ID", reason=f"没有编号为 {'、'.join(unknown)} 的事件")
        count = _replay(journal, settings, names, ids or [])
    stderr.print(f"{count} 条排进了重送，由运行中的服务送出", markup=False, highlight=False)


@events_commands.command("test")
def test_command(
    name: Annotated[str, typer.Argument(metavar="TARGET", help="目标的名称")],
) -> None:
    """现在就送一条试验通知（cn.jiesu.ping），看对方怎么答；不经过存储，也不重试。"""
    settings = read_settings()
    targets = Targets.read(settings.webhooks)
    target = _named(targets, name)
    begun = time.perf_counter()
    reply = asyncio.run(_ping(target, targets, settings))
    spent = (time.perf_counter() - begun) * 1000
    said = "".join(sign if sign.isprintable() else " " for sign in reply.body.decode("utf-8", "replace"))
    stderr.print(f"{target.address.host}：HTTP {reply.status or '—'}，{spent:.0f} 毫秒", markup=False, highlight=False)
    print(said)  # noqa: T201
    if not reply.accepted:
        raise NotDelivered(name=name, reason=reply.error)


@contextmanager
def _opened() -> Iterator[tuple[Journal, Settings]]:
    settings = read_settings()
    with opened_journal(settings) as journal:
        yield journal, settings


def _named(targets: Targets, name: str) -> Target:
    target = targets.named(name)
    if target is None:
        known = "、".join(one.name for one in targets.target) or "一个也没有，见设置 JIESU_WEBHOOKS"
        raise InputError(place="目标", reason=f"没有名为“{name}”的目标，现有：{known}")
    return target


def _row(found: RowMapping, settings: Settings) -> dict[str, Any]:
    """A delivery as it is shown."""

    def written(at: int) -> str:
        return moment(at, settings.zone).isoformat(timespec="seconds")

    waits = found["state"] == "waiting"
    return {
        "event": found["event"],
        "type": found["type"],
        "at": written(found["at"]),
        "target": found["target"],
        "state": found["state"],
        "attempts": found["attempts"],
        "next_at": written(found["next_at"]) if waits else "",
        "error": found["error"],
    }


def _replay(journal: Journal, settings: Settings, names: list[str], ids: list[str]) -> int:
    """Have events sent anew, and note in the audit that somebody asked for it."""
    now = millis(settings.now())
    record = Record(
        id=ulid_now(), at=now, actor="jiesu events replay", action="events.replay", object=" ".join(ids) or DEAD
    )

    def write(unit: Unit) -> int:
        unit.note(record)
        return replay(unit, now, names, ids)

    return journal.write_now(write)


async def _ping(target: Target, targets: Targets, settings: Settings) -> Reply:
    post, now, event = Post(targets), settings.now(), ulid_now()
    try:
        body = cloud_event(event, targets.source, PING, target.name, millis(now), b"{}")
        return await post.send(target, event, body, now.timestamp())
    finally:
        await post.close()
