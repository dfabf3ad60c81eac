"""The command `jiesu encoder`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.encoder.checkpoint import get_encoder

encoder_commands = typer.Typer(no_args_is_help=True, help="编码器：没有外网时也能取得的那一个。")


@encoder_commands.callback()
def _encoder() -> None:
    """编码器：没有外网时也能取得的那一个。"""


@encoder_commands.command("get")
def get_command(home: Annotated[Path, typer.Option(envvar="JIESU_HOME", help="服务的主目录")] = Path("var")) -> None:
    """从软件源取一次 multilingual-e5-small（MIT），还原成 transformers 能读的文件夹，并打印它的路径。"""
    typer.echo(get_encoder(home))
