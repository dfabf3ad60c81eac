"""The commands of labelling: what to label next, the answers of label tools, and corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from corpora.options import Column, Id, named
from corpora.petitions import TAXONOMY
from nlp.errors import InputError
from nlp.model import load
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASK_NAMES, TASKS, Taxonomy
from training.commands import busy, default_model
from training.corrections import Corrections, Negative, read_corrections
from training.dataset import Dataset
from training.label.answers import Labelled, read_labels
from training.label.claims import Claim, Disagreement, Settled, settle
from training.label.formats import format_of, studio_config, write_tasks
from training.label.names import Names
from training.label.next import Pick, pick
from training.sources import open_unlabelled

SHOWN = 20  # disagreements and returns on the screen
QUOTED = 40  # characters of a reason
TaxonomyFile = Annotated[Path, typer.Option(help="分类体系（TOML）")]
ModelFolder = Annotated[Path | None, typer.Option(help="模型文件夹；分类体系以它为准")]
stderr = Console(stderr=True)
label_commands = typer.Typer(no_args_is_help=True, help="标注：下一批标哪些、读回标注、利用反馈。")


@label_commands.command("next")
def next_command(
    data: Annotated[Path, typer.Argument(help="还没有标签的 CSV、XLSX、JSONL 或 Parquet")],
    out: Annotated[Path, typer.Option("--out", help="写到这个文件：.json（Label Studio）、.xlsx 或 .jsonl")],
    n: Annotated[int, typer.Option("--n", min=1, help="挑多少条")] = 200,
    form: Annotated[str, typer.Option("--format", help="label-studio、doccano、xlsx 或 jsonl；不给则看后缀")] = "",
    model: Annotated[Path | None, typer.Option(help="模型文件夹；不给则用默认模型")] = None,
    labelled: Annotated[Path | None, typer.Option(help="已经标好的数据：与它们相近的不再挑")] = None,
    masked: Annotated[bool, typer.Option("--masked", help="写出时遮去姓名、电话等个人信息")] = False,
    text: Column = None,
    title: Column = None,
    id_: Id = None,
    home: Annotated[Path, typer.Option(envvar="JIESU_HOME", help="服务的主目录")] = Path("var"),
) -> None:
    """挑出最值得标注的诉求：模型最没有把握的，彼此不同的，还没有标过的。"""
    kind = format_of(out, form)
    petitions, chosen = open_unlabelled(data, named(text=text, title=title, id_=id_))
    stderr.print(chosen.shown(), soft_wrap=True, markup=False)
    known = open_unlabelled(labelled, {})[0] if labelled else []
    judge = load(model) if model else default_model(home)
    with busy("挑最值得标的 …"):
        found = pick(judge, petitions, known, n)
    names = Names(judge.taxonomy)
    picks = _masked(found.picks) if masked else found.picks
    write_tasks(out, kind, picks, names, judge.name)
    left = f"（没有文字的 {found.empty} 条、重复或相近的 {found.duplicates} 条不挑）"
    stderr.print(f"从 {len(petitions)} 条里挑出 {len(picks)} 条{left}，写到 {out}", soft_wrap=True, markup=False)
    if kind == "label-studio":
        config = out.with_suffix(".config.xml")
        config.write_text(studio_config(names), encoding="utf-8")
        stderr.print(f"Label Studio 项目的标注界面（Labeling Config）：{config}", soft_wrap=True, markup=False)


def _masked(picks: Sequence[Pick]) -> list[Pick]:
    """The same, personal data replaced in title and text."""
    reading = Reader().read([each.petition for each in picks])
    return [
        replace(each, petition=replace(each.petition, title=reading.masked(2 * at), text=reading.masked(2 * at + 1)))
        for at, each in enumerate(picks)
    ]


@label_commands.command("read")
def read_command(
    file: Annotated[Path, typer.Argument(help="Label Studio（JSON、JSON-MIN）、doccano（JSONL）或填好的 XLSX")],
    out: Annotated[Path, typer.Option("--out", help="训练数据写到这个 JSONL 文件")],
    taxonomy: TaxonomyFile = TAXONOMY,
    model: ModelFolder = None,
) -> None:
    """读回标注结果，写成 jiesu fit 能用的训练数据；没有答案的跳过，意见不一的列出而不写。"""
    answered = read_labels(file, load(model).taxonomy if model else Taxonomy.read(taxonomy))
    if not answered.rows:
        reason = f"{answered.skipped} 条都没有答案；答案应在“类别”列、doccano 的 label 或 Label Studio 的 category 里"
        raise InputError(place=file, reason=reason)
    rows: list[dict[str, str]] = []
    disagreements: list[Disagreement] = []
    for same in _by_petition(answered.rows):
        settled = settle([Claim(*each, row.source, row.operator) for row in same for each in row.labels.items()])
        disagreements += settled.disagreements(same[0].id, same[0].place)
        if settled.claims:
            rows.append(_row(Petition(same[0].id, same[0].text, same[0].title), settled))
    _write(out, rows)
    stderr.print(f"{len(rows)} 条写到 {out}；没有答案跳过 {answered.skipped} 条", soft_wrap=True, markup=False)
    _list_disagreements(disagreements)


def _by_petition(rows: Sequence[Labelled]) -> list[list[Labelled]]:
    """The answers to each petition together: same id, title and text."""
    held: dict[tuple[str, str, str], list[Labelled]] = {}
    for row in rows:
        held.setdefault((row.id, row.title, row.text), []).append(row)
    return list(held.values())


def _row(petition: Petition, settled: Settled) -> dict[str, str]:
    """A row that `jiesu fit` takes."""
    fields = {"id": petition.id, "title": petition.title, "text": petition.text}
    return fields | settled.labels | {"source": settled.source, "operator": settled.operator}


@label_commands.command("corrections")
def corrections_command(
    file: Annotated[Path, typer.Argument(help="导出的决定与反馈（JSONL）")],
    out: Annotated[Path, typer.Option("--out", help="训练数据写到这个 JSONL 文件")],
    taxonomy: TaxonomyFile = TAXONOMY,
    model: ModelFolder = None,
) -> None:
    """把反馈（采纳、更正、退单）变成训练数据；退单不当标签，意见不一的列出而不写。"""
    found = read_corrections(file, load(model).taxonomy if model else Taxonomy.read(taxonomy))
    _write(out, _rows(found))
    told = "、".join(f"{TASK_NAMES[task]} {sum(map(bool, codes))}" for task, codes in found.dataset.labels.items())
    corrected = found.sources.count("corrected")
    accepted = len(found.sources) - corrected
    summary = f"{found.lines} 个决定，{len(found.dataset)} 条写到 {out}（采纳 {accepted}，更正 {corrected}）"
    stderr.print(f"{summary}；标签：{told or '无'}", soft_wrap=True, markup=False)
    _list_disagreements(found.disagreements)
    _list_returns(found.negatives)


def _rows(found: Corrections) -> list[dict[str, str]]:
    dataset: Dataset = found.dataset
    rows: list[dict[str, str]] = []
    for number, petition in enumerate(dataset.petitions):
        labels = {task: dataset.labels[task][number] for task in TASKS if task in dataset.labels}
        row = {"id": petition.id, "title": petition.title, "text": petition.text}
        row |= {task: code for task, code in labels.items() if code}
        rows.append(row | {"source": found.sources[number], "operator": found.operators[number]})
    return rows


def _list_disagreements(found: Sequence[Disagreement]) -> None:
    if found:
        stderr.print(f"意见不一、没有写出的 {len(found)} 处：")
    for each in found[:SHOWN]:
        told = "，".join(f"{operator or '（未署名）'} {code}" for operator, code in each.codes)
        stderr.print(f"  {each.place}（{each.id}）{TASK_NAMES[each.task]}：{told}", soft_wrap=True, markup=False)
    _rest(len(found))


def _list_returns(found: Sequence[Negative]) -> None:
    if found:
        stderr.print(f"退单 {len(found)} 次：")
    for each in found[:SHOWN]:
        doubted = "、".join(TASK_NAMES[task] for task in each.doubted)
        doubt = f"；存疑：{doubted}" if doubted else ""
        reason = each.reason if len(each.reason) <= QUOTED else f"{each.reason[:QUOTED]}…"
        told = f"  {each.place}（{each.id}）{each.unit}，{each.kind}：{reason}{doubt}"
        stderr.print(told, soft_wrap=True, markup=False)
    _rest(len(found))


def _rest(count: int) -> None:
    if count > SHOWN:
        stderr.print(f"  …… 共 {count} 处")


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write JSONL, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    draft.replace(path)
