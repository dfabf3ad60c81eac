"""The commands of deciding: decide and classify."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from nlp.decider import Options
from nlp.errors import InputError
from nlp.petition import Petition
from serving.card import card
from serving.memory import settle
from serving.options import ModelOption, ProfileOption, moment, opened, read_settings
from serving.rules.office import open_decider
from serving.schema import Accuracy
from serving.stream import Stream, decide_stream


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
