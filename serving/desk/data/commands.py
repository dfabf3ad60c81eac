"""The commands that the errands of the data desk run beside those of training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from nlp import progress
from nlp.errors import InputError
from serving.desk.data.gather import Material, gather
from serving.desk.data.suspects import excerpted
from serving.desk.data.table import Columns
from serving.desk.data.undecided import undecided
from serving.draft import drafted
from serving.journal.opening import opened_journal
from serving.options import read_settings

ColumnsOption = Annotated[str, typer.Option(help='哪一列是什么（JSON），如 {"text": ["诉求内容"]}')]
desk_commands = typer.Typer(no_args_is_help=True, help="数据台用的：凑齐训练数据、摘出可疑的行、导出没有定的。")


@desk_commands.command("gather")
def gather_command(
    upload: Annotated[Path, typer.Argument(help="上传的工单")],
    out: Annotated[Path, typer.Option("--out", help="写到这个 JSONL 文件")],
    columns: ColumnsOption,
    settled: Annotated[Path | None, typer.Option(help="人改定的标签（JSONL）")] = None,
    more: Annotated[list[Path] | None, typer.Option(help="再加上这些带标签的行（JSONL）")] = None,
) -> None:
    """把上传的工单、改定的标签和别处标好的行凑成一份训练数据；每一行的行号不变。"""
    progress.tell("凑齐训练数据")
    found = gather(Material(upload, _columns(columns), settled, more or []), out)
    told = f"训练数据 {found.rows} 行；按人的意见改了 {found.changed} 个标签，另加 {found.added} 行"
    print(told, file=sys.stderr)  # noqa: T201


@desk_commands.command("suspects")
def suspects_command(
    rows: Annotated[Path, typer.Argument(help="训练用的那份数据")],
    report: Annotated[Path, typer.Option(help="报告的文件夹")],
    out: Annotated[Path, typer.Option("--out", help="写到这个 JSONL 文件")],
    columns: ColumnsOption,
) -> None:
    """摘出报告认为标签可疑的行，遮去个人信息，供人改定。"""
    progress.tell("摘出可疑的标签")
    print(f"可疑的标签 {excerpted(rows, _columns(columns), report, out)} 个", file=sys.stderr)  # noqa: T201


@desk_commands.command("undecided")
def undecided_command(out: Annotated[Path, typer.Option("--out", help="写到这个 JSONL 文件")]) -> None:
    """导出模型没有把握、也没有人说过什么的诉求（已遮去个人信息）。"""
    with opened_journal(read_settings()) as journal, drafted(out) as file:
        count = journal.read(lambda store: sum(1 for line in undecided(store) if file.write(line)))
    if not count:
        raise InputError(place="没有把握的诉求", reason="现在一件也没有，没有可挑的")
    print(f"没有把握、还没有人看过的 {count} 件", file=sys.stderr)  # noqa: T201


def _columns(given: str) -> Columns:
    try:
        return {str(role): [str(name) for name in names] for role, names in orjson.loads(given).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(place="--columns", reason='须为 JSON 对象，如 {"text": ["诉求内容"]}') from error
