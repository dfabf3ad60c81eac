"""The commands of the audit: verify the chain, list its records, delete what is one person's."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import ColumnElement, Row, select
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.audit.chain import ChainBroken
from serving.audit.erasure import Erased, Erasure, Person, scrub, trace
from serving.audit.verify import Verified, verify
from serving.journal.decided import subject_of
from serving.journal.opening import opened_journal
from serving.options import read_settings
from serving.secret import open_secret
from serving.store.engine import reading
from serving.store.tables import audit, audit_details
from serving.times import millis, moment

SHOWN = 200  # records in a table; JSONL has no end
HASH = 64
COUNTRY = "86"
DIGITS = 5  # of the shortest number; those of the hotlines themselves are nobody's
audit_commands = typer.Typer(no_args_is_help=True, help="审计：验证链条、查阅记录、按本人请求删除。")
TITLES = {"seq": "序号", "at": "时间", "actor": "谁", "action": "做了什么", "object": "对什么", "outcome": "结果",
          "model": "模型", "rule": "规则"}  # fmt: skip
COUNTS = {
    "decisions": "决定", "feedback": "反馈", "outcomes": "办理结果", "calls": "通话", "events": "待发的事件",
    "requests": "留着重放的应答", "details": "审计内容",
}  # fmt: skip


@audit_commands.command("verify")
def verify_command(
    expect: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="以前记在别处的链头：它须还在链上，或已按期清理")
    ] = None,
) -> None:
    """验证审计链：改过、缺失、添加、换位的记录，换过的内容，伪造的链头；有一处不对，退出码为 1。"""
    wanted = _expected(expect) if expect is not None else None
    with opened_journal(read_settings()) as journal:
        found = verify(journal.engine, journal.chain, wanted)
    for line in _told(found):
        typer.echo(line)
    if not found.is_sound:
        raise ChainBroken(reason=f"{found.count} 处")


@audit_commands.command("list")
def list_command(
    actor: Annotated[str, typer.Option(help="谁：密钥的编号，或命令")] = "",
    action: Annotated[str, typer.Option(help="做了什么，如 decide、feedback、forget")] = "",
    object_: Annotated[str, typer.Option("--object", help="对什么，如决定的编号")] = "",
    since: Annotated[str, typer.Option(help="从何时起（ISO 8601，含）")] = "",
    until: Annotated[str, typer.Option(help="到何时止（ISO 8601，不含）")] = "",
    json: Annotated[bool, typer.Option("--json", help="JSONL，全部，从旧到新")] = False,
) -> None:
    """查阅审计记录；表格只列最后的 200 条。"""
    settings = read_settings()
    equal = {"actor": actor, "action": action, "object": object_}
    conditions: list[ColumnElement[bool]] = [audit.c[name] == value for name, value in equal.items() if value]
    if since:
        conditions.append(audit.c.at >= _time("--since", since, settings.zone))
    if until:
        conditions.append(audit.c.at < _time("--until", until, settings.zone))
    with opened_journal(settings) as journal, reading(journal.engine) as connection:
        query = select(audit, audit_details.c.content).outerjoin(audit_details, audit.c.id == audit_details.c.id)
        order = audit.c.seq if json else audit.c.seq.desc()
        found = query.where(*conditions).order_by(order).limit(None if json else SHOWN)
        rows = connection.execution_options(yield_per=1000).execute(found)
        if json:
            _write(rows, settings.zone)
        else:
            Console().print(_table(list(rows)[::-1], settings.zone))


@audit_commands.command("forget")
def forget_command(
    phone: Annotated[str, typer.Option(help="这个号码打来或留下的一切")] = "",
    petition: Annotated[str, typer.Option(help="这一件诉求（来源系统的编号）")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只数，不删")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
) -> None:
    """按本人请求删除其决定、反馈、办理结果和审计中的内容；审计只记下各删了多少，链条照样验得过。"""
    settings = read_settings()
    with opened_journal(settings) as journal:
        person = _person(phone, petition, open_secret(settings))
        found = journal.read(lambda connection: trace(connection, person))
        typer.echo(_counted("找到" if found else "没有找到任何记录", found))
        if dry_run or not found:
            return
        if not yes:
            typer.confirm("删除后无法恢复。删除吗？", abort=True, err=True)
        done = journal.write_now(Erasure(ulid_now(), millis(settings.now()), "jiesu audit forget", person))
        scrub(journal.engine)
    typer.echo(_counted("已删除", done))
    typer.echo("备份里还有的，要随备份一起到期；应答重放所留的，一天内到期。", err=True)


def _expected(written: str) -> tuple[int, str]:
    """A record's number and hash, as `verify` printed them."""
    found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", written.strip())
    if not found:
        raise InputError(place="--expect", reason="须是 序号:64 位十六进制的哈希，照 jiesu audit verify 打印的抄")
    return int(found[1]), found[2]


def _told(found: Verified) -> Iterable[str]:
    """What was found, line by line."""
    if found.checkpoint.seq:
        yield f"第 1–{found.checkpoint.seq} 条已按期清理，检查点 {found.checkpoint.seq}:{found.checkpoint.hash}"
    erased = f"，其中 {found.erased} 条的内容已按请求删除" if found.erased else ""
    yield f"查了 {found.records} 条记录{erased}"
    for fault in found.faults:
        yield f"第 {fault.seq} 条：{fault.told}" if fault.seq else fault.told
    if found.count > len(found.faults):
        yield f"另有 {found.count - len(found.faults)} 处"
    if found.is_sound:
        yield f"链条完好，链头 {found.head.seq}:{found.head.hash}"
        yield "请把链头抄在别处，下次用 --expect 核对：整库换回旧的，只有这样才看得出。"


def _time(option: str, written: str, zone: tzinfo) -> int:
    """A time of the command line in milliseconds; without a zone it is the office's."""
    try:
        time = datetime.fromisoformat(written)
        return millis(time if time.tzinfo else time.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        raise InputError(place=option, reason="须是 ISO 8601 时间，如 2026-01-31T09:00") from error


def _write(rows: Iterable[Row[Any]], zone: tzinfo) -> None:
    """Records as JSONL; a detail that was deleted is null."""
    for row in rows:
        record = {str(name): value for name, value in row._mapping.items()}  # orjson wants str itself
        content = record.pop("content")
        detail = orjson.loads(content) if content is not None else None
        if detail:
            del detail["salt"]
        record |= {"at": moment(row.at, zone).isoformat(timespec="milliseconds"), "detail": detail}
        sys.stdout.buffer.write(orjson.dumps(record) + b"\n")
    sys.stdout.buffer.flush()


def _table(rows: Iterable[Row[Any]], zone: tzinfo) -> Table:
    table = Table(*TITLES.values(), box=None)
    for row in rows:
        written = dict(row._mapping) | {"at": moment(row.at, zone).strftime("%Y-%m-%d %H:%M:%S")}
        table.add_row(*(Text(_plain(str(written[name]))) for name in TITLES))
    return table


def _plain(text: str) -> str:
    """A text from outside, without anything that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _person(phone: str, petition: str, secret: bytes) -> Person:
    """Whose records are meant, by exactly one of the two."""
    if bool(phone) == bool(petition):
        raise InputError(place="--phone、--petition", reason="须给出其中一个，而且只给一个")
    if petition:
        return Person(petition=petition)
    digits = "".join(sign for sign in phone if sign.isdigit()).removeprefix("00")
    bare = digits.removeprefix(COUNTRY) if len(digits) > 11 else digits
    if len(bare) < DIGITS:
        raise InputError(place="--phone", reason="不是电话号码")
    forms = (bare, COUNTRY + bare, "00" + COUNTRY + bare)  # a number is hashed as its system wrote it
    return Person(subjects=tuple(filter(None, (subject_of(form, secret) for form in forms))))


def _counted(told: str, found: Erased) -> str:
    counts = [f"{name} {getattr(found, field)}" for field, name in COUNTS.items() if getattr(found, field)]
    return f"{told}：{'，'.join(counts)}" if counts else told
