"""The commands of serving: decide, classify and serve."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from pydantic import ValidationError
from rich.console import Console

from nlp.decider import Options
from nlp.errors import InputError
from nlp.petition import Petition
from serving.access.keys import any_key
from serving.card import card
from serving.draft import drafted
from serving.export import exported
from serving.journal.opening import opened_journal
from serving.memory import settle
from serving.problems import path_of
from serving.rules.office import open_decider
from serving.running import serve
from serving.schema import YEARS, Accuracy
from serving.settings import Settings, UnsafeStart, is_loopback
from serving.stream import Stream, decide_stream
from serving.times import millis

SAMPLE = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商，楼上不开门，能不能派人来看看。"
ModelOption = Annotated[Path | None, typer.Option(help="模型文件夹；不给则用默认模型")]
ProfileOption = Annotated[str | None, typer.Option(help="治理体系；不给则用设置")]


def read_settings(**given: Any) -> Settings:
    """The settings, those given on the command line first; a wrong one is named."""
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(place=f"设置 JIESU_{path_of(first['loc']).upper()}", reason=first["msg"]) from error


def moment(settings: Settings, now: str | None) -> datetime:
    """The time that the command line gave, or the present."""
    if now is None:
        return settings.now()
    try:
        time = datetime.fromisoformat(now)
    except ValueError as error:
        raise InputError(place="--now", reason=f"{now!r} 不是 ISO 8601 时间") from error
    if time.year not in YEARS:
        raise InputError(place="--now", reason=f"年份须在 {YEARS[0]}–{YEARS[-1]} 之间")
    return time if time.tzinfo else time.replace(tzinfo=settings.zone)


def decide_command(
    file: Annotated[str, typer.Argument(help="JSONL 文件，或 - 表示标准输入")] = "-",
    model: ModelOption = None,
    profile: ProfileOption = None,
    accuracy: Annotated[Accuracy, typer.Option(help="fast 线性模型；high 加编码器")] = Accuracy.fast,
    evidence: Annotated[bool, typer.Option("--evidence/--no-evidence", help="给出依据的词")] = True,
    now: Annotated[str | None, typer.Option(help="当前时间（ISO 8601），默认取系统时钟")] = None,
) -> None:
    """读入 JSONL 诉求，逐条给出决定（JSONL，次序不变）。"""
    settings = read_settings(profile=profile)
    options = Options(moment(settings, now), settings.profile, evidence, accuracy is Accuracy.high)
    source = "标准输入" if file == "-" else file
    with opened(file) as lines:
        decider = open_decider(settings, model)
        decider.router.check(options.profile)
        settle()
        if options.high and not decider.model.encoder:
            print("这个模型没有编码器，按 --accuracy fast 作答", file=sys.stderr)  # noqa: T201
        stream = Stream(source, settings.zone)
        for chunk in decide_stream(decider, stream.petitions(lines), options):
            sys.stdout.buffer.write(chunk)
            _tell(stream)
        _tell(stream)
    sys.stdout.buffer.flush()
    if stream.failed:
        raise InputError(place=source, reason=f"有 {stream.failed} 行不能读，其余都已作答")


def opened(file: str) -> BinaryIO:
    """A file, or standard input for `-`; raises `InputError`."""
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise InputError(place=file, reason=f"打不开（{error.strerror}）") from error


def _tell(stream: Stream) -> None:
    for fault in stream.taken_faults():
        print(fault, file=sys.stderr)  # noqa: T201


def classify_command(
    text: Annotated[str, typer.Argument(help="一件诉求的文字")],
    model: ModelOption = None,
    profile: ProfileOption = None,
    now: Annotated[str | None, typer.Option(help="当前时间（ISO 8601）")] = None,
) -> None:
    """看一件诉求的决定。"""
    settings = read_settings(profile=profile)
    decider = open_decider(settings, model)
    options = Options(moment(settings, now), settings.profile)
    Console().print(card(decider.decide([Petition("1", text)], options)[0]))


def serve_command(
    host: Annotated[str | None, typer.Option(help="监听地址")] = None,
    port: Annotated[int | None, typer.Option(help="监听端口")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="不要密钥，只许在本机")] = False,
    workers: Annotated[int | None, typer.Option(help="几个进程一起答")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="启动前打印一件示例诉求的决定")] = False,
) -> None:
    """启动 HTTP 服务。"""
    settings = read_settings(host=host, port=port, insecure=insecure or None, workers=workers)
    settings.check_start()
    check_keys(settings)
    listener = _listener(settings)
    decider = open_decider(settings)
    if sample:
        console = Console()
        console.print(f"示例诉求：{SAMPLE}")
        console.print(card(decider.decide([Petition("sample", SAMPLE)], Options(settings.now(), settings.profile))[0]))
    address = listener.getsockname()
    print(f"jiesu 接诉：http://{address[0]}:{address[1]}  （接口说明 /docs）", flush=True)  # noqa: T201
    serve(settings, decider, listener)


def check_keys(settings: Settings) -> None:
    """Refuse a public address where nobody has a key; say so on a private one."""
    if settings.insecure:
        return
    with opened_journal(settings) as journal:
        if any_key(journal):
            return
    if not is_loopback(settings.host):
        raise UnsafeStart(
            reason="还没有密钥，不能监听别的机器够得着的地址；先用 jiesu keys create --scope operator 建一个"
        )
    print("还没有密钥，谁也进不来：用 jiesu keys create --scope operator 建一个", file=sys.stderr)  # noqa: T201


def _listener(settings: Settings) -> socket.socket:
    """A socket that listens already, so that a taken port is told before the model is loaded."""
    try:
        return socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=2048,
        )
    except OSError as error:
        raise InputError(place=f"{settings.host}:{settings.port}", reason=f"不能监听（{error.strerror}）") from error


def corrections_command(
    out: Annotated[Path, typer.Argument(help="写到哪个 JSONL 文件")],
    since: Annotated[str | None, typer.Option(help="只要此时（ISO 8601）以后有反馈的")] = None,
) -> None:
    """导出有反馈的决定（已遮去个人信息），供 jiesu label corrections 与 jiesu fit 学习。"""
    settings = read_settings()
    begin = millis(moment(settings, since)) if since else 0
    with opened_journal(settings) as journal, drafted(out) as kept:
        count = journal.read(lambda connection: _written(kept, exported(connection, settings, begin)))
    print(f"{out}：{count} 件", file=sys.stderr)  # noqa: T201


def _written(out: BinaryIO, lines: Iterable[bytes]) -> int:
    return sum(1 for line in lines if out.write(line))
