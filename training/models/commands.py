"""The commands `jiesu models` and `jiesu test-set`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from corpora.default import default_folder, is_current
from corpora.options import Column, Levels, Type, named
from corpora.petitions import TAXONOMY
from nlp.errors import InputError
from nlp.model import read_manifest
from nlp.registry import DEFAULT, Standing, history, standing, version_folder, versions
from nlp.taxonomy import TASK_NAMES, Taxonomy
from training import testset
from training.cleaning import clean
from training.commands import busy, default_model
from training.dataset import Dataset
from training.gates import Comparison
from training.labels import taxonomy_of
from training.promotion import Outcome, Wish, locked, promote, rollback
from training.sources import open_dataset

Home = Annotated[Path, typer.Option(envvar="JIESU_HOME", help="服务的主目录")]
AsJson = Annotated[bool, typer.Option("--json", help="在标准输出上给出 JSON")]
EVENTS = {"promoted": "换上", "refused": "没有通过", "rolled_back": "退回"}

models_commands = typer.Typer(no_args_is_help=True, help="登记的模型：列出、查看、换上、退回。")
testset_commands = typer.Typer(no_args_is_help=True, help="冻结的测试集：换模型之前用它比较，训练从不用它。")
stderr = Console(stderr=True)


@testset_commands.callback()
def _test_set() -> None:
    """冻结的测试集：换模型之前用它比较，训练从不用它。"""


@models_commands.command("list")
def list_command(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """列出登记的模型：在用、曾用、候选。"""
    shipped = default_folder(home)  # in the tree, unless one was fitted at home
    found = ({DEFAULT: read_manifest(shipped)} if is_current(shipped) else {}) | versions(home)
    rows = [_row(home, name, manifest) for name, manifest in found.items()]
    if as_json:
        _print_json(rows)
        return
    table = Table(title="登记的模型")
    for name in ("版本", "状态", "换上的时间", "训练行数", "类别准确率"):
        table.add_column(name, justify="right" if name in {"训练行数", "类别准确率"} else "left", overflow="fold")
    for row in rows:
        accuracy = row["category_accuracy"]
        told = "—" if accuracy is None else f"{accuracy:.3f}"
        table.add_row(row["name"], row["state"], row["since"] or "—", str(row["rows"] or "—"), told)
    Console().print(table)


def _row(home: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the list says of one version."""
    events = [event for event in history(home) if event.get("model") == name and event.get("event") != "refused"]
    scores = (manifest.get("scores") or {}).get("tasks") or {}
    return {
        "name": name,
        "model": manifest.get("name"),
        "state": _state(home, name, used=bool(events)),
        "since": events[-1].get("time", "") if events else "",
        "rows": (manifest.get("card") or {}).get("rows"),
        "data": (manifest.get("card") or {}).get("data"),
        "category_accuracy": (scores.get("category") or {}).get("accuracy"),
    }


def _state(home: Path, name: str, *, used: bool) -> str:
    now = standing(home) or Standing()
    if name == now.name:
        return "在用"
    return "曾用" if used or name in now.previous else "候选"


@models_commands.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="版本")], home: Home = Path("var"), as_json: AsJson = False
) -> None:
    """看一个模型：用什么数据训练、成绩、换上和退回的经过。"""
    if not version_folder(home, name).is_dir():
        raise InputError(place=name, reason="没有登记过这个版本；用 jiesu models list 看有哪些")
    manifest = read_manifest(version_folder(home, name))
    events = [event for event in history(home) if name in (event.get("model"), event.get("champion"))]
    told = _row(home, name, manifest) | {
        "card": manifest.get("card"), "scores": manifest.get("scores"), "history": events,
    }  # fmt: skip
    if as_json:
        _print_json(told)
        return
    console = Console()
    console.print(f"{name}：{told['state']}；训练数据 {told['data']}，{told['rows']} 行", soft_wrap=True, markup=False)
    for task, score in ((manifest.get("scores") or {}).get("tasks") or {}).items():
        line = f"  {TASK_NAMES.get(task, task)}：准确率 {score['accuracy']:.3f}，宏平均 F1 {score['macro_f1']:.3f}"
        console.print(line, soft_wrap=True, markup=False)
    for event in events:
        console.print(_event_line(event), soft_wrap=True, markup=False)


def _event_line(event: Mapping[str, Any]) -> str:
    """One event of the history for people."""
    what = EVENTS.get(str(event.get("event")), str(event.get("event")))
    forced = "（强制）" if event.get("forced") else ""
    reason = f"；原因：{event['reason']}" if event.get("reason") else ""
    who = f"{event.get('time')} {event.get('who')}"
    return f"  {who}：{event.get('champion')} → {event.get('model')}，{what}{forced}{reason}"


@models_commands.command("promote")
def promote_command(
    model: Annotated[str, typer.Argument(help="模型文件夹，或登记过的版本")],
    force: Annotated[bool, typer.Option("--force", help="没有通过也换上；须用 --reason 说明原因")] = False,
    reason: Annotated[str, typer.Option(help="原因，记入历史")] = "",
    data: Annotated[str | None, typer.Option(help="不用冻结的测试集，用这份带标签的数据比较")] = None,
    taxonomy: Annotated[Path, typer.Option(help="分类体系（TOML）")] = TAXONOMY,
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """把一个模型与在用的比较，通过了就换上；正在运行的服务随即改用它，不丢一个请求。"""
    wish = Wish(model, force, reason)
    wish.check()
    given = _opened(data, {}, taxonomy) if data else None
    with locked(home, _wait), busy("与在用的模型比较 …"):
        outcome = promote(home, wish, lambda: given or testset.read(home), lambda: default_model(home))
    _tell(outcome, as_json)
    outcome.raise_refused()


@models_commands.command("rollback")
def rollback_command(
    reason: Annotated[str, typer.Option(help="原因，记入历史")] = "", home: Home = Path("var"), as_json: AsJson = False
) -> None:
    """立即退回到上一个模型；再退一次就到更早的一个。"""
    with locked(home, _wait):
        outcome = rollback(home, reason, lambda: default_model(home))
    _tell(outcome, as_json)


def _wait() -> None:
    stderr.print("另一个换模型的命令正在进行，等它结束 …")


def _tell(outcome: Outcome, as_json: bool) -> None:
    """What came of a promotion or a rollback."""
    comparison = outcome.comparison
    if as_json:
        _print_json(
            {"event": outcome.event, "model": outcome.model, "champion": outcome.champion}
            | {"comparison": comparison.as_dict() if comparison else None}
        )
    elif comparison:
        Console().print(_table(comparison))
    for note in comparison.notes if comparison else ():
        stderr.print(f"注意：{note}", soft_wrap=True, markup=False)
    if outcome.event != "refused":
        unmeasured = "（强制，没有比较）" if outcome.event == "promoted" and not comparison else ""
        told = f"{EVENTS[outcome.event]}了 {outcome.model}{unmeasured}，此前在用的是 {outcome.champion}"
        stderr.print(told, soft_wrap=True, markup=False)


def _table(comparison: Comparison) -> Table:
    title = f"{comparison.data}：{comparison.rows} 行，按{comparison.task}比较"
    table = Table(title=title, caption=f"{comparison.champion} → {comparison.challenger}")
    for name in ("项目", "在用", "新模型", "限度", "结果"):
        table.add_column(name, overflow="fold")
    for gate in comparison.gates:
        table.add_row(gate.name, gate.before, gate.after, gate.limit, "通过" if gate.passed else "不通过")
    return table


@testset_commands.command("freeze")
def freeze_command(
    data: Annotated[str, typer.Argument(help="带标签的 CSV、XLSX、JSONL 或 Parquet")],
    share: Annotated[float, typer.Option(help="抽出多大一份，0 到 1 之间")] = testset.DRAW.share,
    at_most: Annotated[int, typer.Option(help="最多多少行")] = testset.DRAW.at_most,
    again: Annotated[bool, typer.Option("--again", help="已有测试集时重新冻结；须用 --reason 说明原因")] = False,
    reason: Annotated[str, typer.Option(help="原因，记入清单")] = "",
    taxonomy: Annotated[Path, typer.Option(help="分类体系（TOML）")] = TAXONOMY,
    text: Column = None,
    title: Column = None,
    category: Levels = None,
    tier: Column = None,
    clock: Column = None,
    type_: Type = None,
    time: Annotated[str | None, typer.Option(help="收到时间的列名：有时间就抽最近的")] = None,
    group: Annotated[str | None, typer.Option(help="分组的列名：同组的行不拆开")] = None,
    home: Home = Path("var"),
) -> None:
    """从带标签的数据中抽出一份测试集，从此不用于训练。"""
    draw = testset.Draw(share, at_most, again, reason)
    draw.check()
    columns = named(
        text=text, title=title, category=category, tier=tier, clock=clock, type_=type_, time=time, group=group
    )
    dataset = _opened(data, columns, taxonomy)
    with locked(home, _wait):
        manifest = testset.freeze(dataset, home, draw)
    classes = "，".join(f"{TASK_NAMES[task]} {len(found)} 种" for task, found in manifest["classes"].items())
    place = testset.folder_of(home)
    for line in (
        f"冻结了 {manifest['rows']} 行（共 {manifest['of']} 行，{manifest['drawn']}；{classes}），在 {place}",
        "这些行是原文，未遮盖，只有本用户可读（0600），请勿外传；以后 jiesu fit 会把它们和近似的行排除在外。",
        "此前训练的模型可能见过这些行：要比较得公平，请在冻结之后重新训练。",
    ):
        stderr.print(line, soft_wrap=True, markup=False)


def _opened(data: str, columns: Mapping[str, Sequence[str]], taxonomy: Path) -> Dataset:
    """Labelled petitions, read and cleaned the way that fit does it: near duplicates in one group, labels as codes."""
    return clean(taxonomy_of(open_dataset(data, columns), Taxonomy.read(taxonomy))[0]).dataset


def _print_json(told: object) -> None:
    typer.echo(orjson.dumps(told).decode())
