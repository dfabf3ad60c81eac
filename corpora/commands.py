"""The commands of the corpus: check it, show its spread, build the training set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from corpora.gates import GATES, Corpus, Gate, read_limits
from corpora.petitions import FIELD_NAMES, build, corpus_hash, default_taxonomy, read_rows
from corpora.readings import agreement, read_readings
from nlp.errors import InputError
from nlp.taxonomy import TASKS

SHOWN = 10  # offenders of a gate
stderr = Console(stderr=True)
corpus_commands = typer.Typer(no_args_is_help=True, help="项目自己的语料：检查、统计、构建训练集。")


def _corpus() -> Corpus:
    return Corpus(read_rows(), read_readings(), default_taxonomy())


@corpus_commands.command("check")
def check_command() -> None:
    """逐项检查语料：数量、分布、主题、两次阅读、重复与模板痕迹；不合格时退出码为 2。"""
    corpus, limits = _corpus(), read_limits()
    gates = [gate(corpus, limits) for gate in track(GATES, "检查语料", console=stderr, transient=True)]
    table = Table(title=f"语料检查：{len(corpus.rows)} 条")
    for name in ("项目", "量得", "要求", "结果"):
        table.add_column(name, overflow="fold")
    for gate in gates:
        table.add_row(gate.name, gate.measured, gate.wanted, "合格" if gate.open else "不合格")
    console = Console()
    console.print(table)
    closed = [gate for gate in gates if not gate.open]
    for gate in closed:
        console.print(_told(gate), markup=False)
    if closed:
        raise InputError(place="语料", reason=f"{len(closed)} 项不合格")


def _told(gate: Gate) -> str:
    rest = f" …… 共 {len(gate.offenders)} 处" if len(gate.offenders) > SHOWN else ""
    return f"{gate.name}：{'；'.join(gate.offenders[:SHOWN])}{rest}"


@corpus_commands.command("stats")
def stats_command(
    picture: Annotated[Path | None, typer.Option(help="把分布画成图，写到这个 .svg 或 .png")] = None,
) -> None:
    """语料的分布表与两次阅读的一致程度；可另画成图。"""
    corpus = _corpus()
    console = Console()
    for field in ("tier", "clock", "type", "register"):
        told = "  ".join(f"{value} {share:.1%}" for value, share in corpus.shares(field).items())
        console.print(f"{FIELD_NAMES[field]}：{told}")
    console.print(_categories(corpus))
    console.print(_agreements(corpus))
    letters = [len(row.text) for row in corpus.written if row.register == "letter"]
    mean = sum(letters) / max(1, len(letters))
    console.print(f"自写 {len(corpus.written)} 条；来信平均 {mean:.0f} 字；内容 SHA-256 {corpus_hash()[:16]}…")
    if picture:
        from corpora.picture import draw  # noqa: PLC0415 - matplotlib takes a second to load

        draw(corpus, picture)
        stderr.print(f"图写到 {picture}")


def _categories(corpus: Corpus) -> Table:
    table = Table(title="类别 × 层级（条）")
    tiers = corpus.taxonomy.labels("tier")
    for name in ("类别", "共", *(label.name for label in tiers)):
        table.add_column(name, justify="left" if name == "类别" else "right")
    for label in corpus.taxonomy.labels("category"):
        rows = [row for row in corpus.written if row.category == label.code]
        table.add_row(label.name, str(len(rows)), *(str(sum(row.tier == tier.code for row in rows)) for tier in tiers))
    return table


def _agreements(corpus: Corpus) -> Table:
    table = Table(title="两次阅读的一致程度")
    for name in ("任务", "条", "相同", "Cohen κ"):
        table.add_column(name, justify="left" if name == "任务" else "right")
    for task in TASKS:
        count, same, kappa = agreement(corpus.readings, task)
        table.add_row(FIELD_NAMES[task], str(count), f"{same:.3f}", f"{kappa:.3f}")
    return table


@corpus_commands.command("build")
def build_command(
    out: Annotated[Path, typer.Argument(help="训练集写到这个 JSONL 文件")],
) -> None:
    """把语料构建成训练集（JSONL），并给出写进模型清单的内容哈希。"""
    rows = read_rows()
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.draft")
    draft.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in build(rows)))
    draft.replace(out)
    stderr.print(f"{len(rows)} 条写到 {out}")
    typer.echo(corpus_hash())
