"""The command `jiesu serve`: what must be right is looked at before the service starts."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer
from rich.console import Console

from nlp.decider import Options
from nlp.errors import InputError
from nlp.petition import Petition
from serving.access.keys import any_key
from serving.card import card
from serving.journal.opening import opened_journal
from serving.options import read_settings
from serving.rules.office import open_decider
from serving.running import serve
from serving.sample import SAMPLE
from serving.settings import Settings, UnsafeStart, is_loopback


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
    host_name, taken = listener.getsockname()[:2]
    address = f"http://{f'[{host_name}]' if ':' in host_name else host_name}:{taken}"
    print(f"jiesu 接诉：{address}  （接口说明 /docs）", flush=True)  # noqa: T201
    print(f"坐席台：{address}/desk{'?sample' if sample else ''}", flush=True)  # noqa: T201
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
