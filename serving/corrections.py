"""The command `jiesu corrections`: what operators said, for training."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from serving.draft import drafted
from serving.export import exported
from serving.journal.opening import opened_journal
from serving.options import moment, read_settings
from serving.times import millis


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
