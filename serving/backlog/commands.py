"""The commands of backlogs: batch and undo."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from corpora.options import Column, Id, Levels, named
from nlp.errors import InputError
from serving.backlog.asked import Asked, Tables
from serving.backlog.batch import Manner, Wanted, batch
from serving.backlog.begin import CHUNK, Wish
from serving.backlog.spark.session import Cluster
from serving.backlog.taking import taken_back
from serving.options import ModelOption, ProfileOption, moment, read_settings
from serving.schema import Accuracy

ANSWERS = "答案=列名"


class Engine(StrEnum):
    """Where rows are decided."""

    local = "local"
    spark = "spark"


def batch_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="CSV、XLSX、JSONL、Parquet，或数据库（SQLAlchemy 网址）、集群的表（spark:库.表）"
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="写到哪个文件（后缀定格式），或数据库")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只出变更报告，不写 OUT")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="接着上次没做完的做；没有就从头做")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="丢掉上次没做完的，从头做")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="OUT 已有时替换它")] = False,
    engine: Annotated[Engine, typer.Option(help="local 本机各核；spark 集群")] = Engine.local,
    accuracy: Annotated[Accuracy, typer.Option(help="fast 线性模型；high 加编码器")] = Accuracy.fast,
    profile: ProfileOption = None,
    now: Annotated[str | None, typer.Option(help="当作哪个时刻（ISO 8601）；默认取开始的时刻")] = None,
    model: ModelOption = None,
    report: Annotated[Path | None, typer.Option(help="变更报告写到哪个文件夹；--dry-run 默认 OUT.report")] = None,
    in_encoding: Annotated[str, typer.Option(help="输入的编码；不给则自动认")] = "",
    delimiter: Annotated[str, typer.Option(help="输入 CSV 的分隔符；不给则自动认")] = "",
    sheet: Annotated[str, typer.Option(help="工作簿里读哪一张表；不给则读所有表头相同的")] = "",
    encoding: Annotated[str, typer.Option(help="输出 CSV 的编码；默认 utf-8-sig（UTF-8 带 BOM）")] = "",
    escape_formulas: Annotated[
        bool, typer.Option("--escape-formulas", help="CSV 里以 = + - @ 开头的格子前加 '，供在表格软件里打开")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="几个进程；默认有几个核就几个")] = None,
    chunk: Annotated[int, typer.Option(min=1, max=100_000, help="几行一块；一块做完才落盘")] = CHUNK,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示进度，只说错误")] = False,
    id_: Id = None,
    title: Column = None,
    text: Column = None,
    time: Column = None,
    channel: Column = None,
    location: Column = None,
    phone: Column = None,
    unit: Column = None,
    deadline: Column = None,
    category: Levels = None,
    table: Annotated[str, typer.Option(help="数据库：读哪张表")] = "",
    query: Annotated[str, typer.Option(help="数据库：读哪个查询（只读）")] = "",
    key: Annotated[str, typer.Option(help="数据库：哪些列能区分每一行；默认主键")] = "",
    out_table: Annotated[str, typer.Option(help="数据库：写到哪张表；默认与 --table 相同")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="数据库：就地修改读的那张表")] = False,
    map_: Annotated[list[str] | None, typer.Option("--map", help=f"数据库：{ANSWERS}，用答案替换原来的列")] = None,
    only_mapped: Annotated[bool, typer.Option("--only-mapped", help="数据库：不加 jiesu_ 列，只写 --map 的列")] = False,
    beside: Annotated[str, typer.Option(help="数据库：清单、原值等放在哪个文件夹；默认当前文件夹")] = "",
) -> None:
    """给一批积压的工单重新分类：每列原样保留，答案加在后面；中断了可以接着做，做完了可以撤销。"""
    settings = read_settings(profile=profile)
    columns = named(id_=id_, title=title, text=text, time=time, channel=channel, location=location, phone=phone,
                    unit=unit, deadline=deadline, category=category)  # fmt: skip
    tables = Tables(table, query, key, out_table, apply, answers(map_ or []), only_mapped, beside)
    asked = Asked(source, out, columns, in_encoding, delimiter, sheet, encoding, escape_formulas, tables)
    time_ = moment(settings, now).isoformat(timespec="seconds") if now else ""
    wish = Wish(time_, dry_run, resume, restart, overwrite)
    wanted = Wanted(model, accuracy is Accuracy.high, chunk, report)
    cluster = Cluster(settings.spark, settings.timezone, settings.spark_slots, settings.spark_code == "send")
    manner = Manner(workers or len(os.sched_getaffinity(0)), engine is Engine.spark, quiet, cluster)
    batch(settings, asked, wanted, wish, manner, hush if quiet else say)


def undo_command(
    manifest: Annotated[Path, typer.Argument(help="jiesu batch 留下的清单（OUT.manifest.json）")],
    database: Annotated[str, typer.Option(help="改的是数据库的表时：它的网址（清单里不存口令）")] = "",
    drop_columns: Annotated[
        bool, typer.Option("--drop-columns", help="数据库：全部还原以后，删去 jiesu 加的列")
    ] = False,
) -> None:
    """撤销一次 jiesu batch：写出以后没有动过的行还原，动过的留着并列出来；输入从不改动。"""
    say(taken_back(read_settings(), manifest, database, drop_columns=drop_columns))


def answers(given: list[str]) -> dict[str, str]:
    """`答案=列名` by answer; raises `InputError` for what is not written like that."""
    wrong = next((one for one in given if not all(one.partition("="))), "")
    if wrong:
        raise InputError(place=f"--map {wrong}", reason=f"要写成 {ANSWERS}，如 category=一级分类")
    return dict(one.split("=", 1) for one in given)


def hush(_words: str) -> None:
    """Tell nobody."""


def say(words: str) -> None:
    """Tell people; stdout is for data."""
    print(words, file=sys.stderr)  # noqa: T201
