"""The commands of training: fit and evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from corpora.default import CORPUS, default_folder, is_current
from corpora.petitions import TAXONOMY
from nlp.errors import InputError
from nlp.model import Model, load
from nlp.taxonomy import TASK_NAMES, Taxonomy
from training.dataset import Dataset
from training.evaluation import Report, evaluate
from training.fitting import Recipe, fit
from training.report import write_report
from training.sources import from_corpus, from_table

Column = Annotated[str | None, typer.Option(help="数据中的列名")]
stderr = Console(stderr=True)


def fit_command(
    data: Annotated[Path | None, typer.Argument(help="带标签的 CSV、XLSX、JSONL 或 Parquet")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="模型写到哪个文件夹")] = None,
    corpus: Annotated[bool, typer.Option("--corpus", help="用项目自己的语料训练默认模型")] = False,
    taxonomy: Annotated[Path, typer.Option(help="分类体系（TOML）")] = TAXONOMY,
    report: Annotated[Path | None, typer.Option(help="把在训练数据上的评估报告写到这个文件夹")] = None,
    text: Column = None,
    title: Column = None,
    category: Column = None,
    tier: Column = None,
    clock: Column = None,
    type_: Annotated[str | None, typer.Option("--type", help="数据中的列名")] = None,
) -> None:
    """用带标签的工单训练模型：类别、层级、时限、类型四个任务。"""
    if corpus == (data is not None):
        raise InputError(place="jiesu fit", reason="给出一个数据文件，或者用 --corpus，二者取一")
    if out is None:
        raise InputError(place="jiesu fit", reason="缺少 --out：模型写到哪个文件夹")
    columns = {"text": text, "title": title, "category": category, "tier": tier, "clock": clock, "type": type_}
    dataset = from_corpus() if data is None else from_table(data, {k: v for k, v in columns.items() if v})
    model = fit_with_progress(dataset, Taxonomy.read(taxonomy), out)
    if report:
        write_report(evaluate(model, dataset), model.taxonomy, report)
    scores = model.scores["tasks"]
    told = "，".join(f"{TASK_NAMES[task]} {100 * score['accuracy']:.1f}%" for task, score in scores.items())
    stderr.print(f"模型 {model.name} 写到 {out}（{len(dataset)} 条，交叉验证准确率：{told}）", soft_wrap=True)


def fit_with_progress(dataset: Dataset, taxonomy: Taxonomy, out: Path) -> Model:
    """Fit and save, with a progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task(f"训练 {dataset.name}", total=1)

        def step(doing: str, steps: int) -> None:
            if steps > 0:
                bar.update(task, description=doing, total=steps)
            else:
                bar.update(task, description=doing, advance=-steps)

        model = fit(dataset, taxonomy, Recipe(), step)
    return model.save(out, "default" if dataset.name == CORPUS else out.name)


def evaluate_command(
    data: Annotated[Path, typer.Argument(help="带标签的 CSV、XLSX、JSONL 或 Parquet")],
    model: Annotated[Path | None, typer.Option(help="模型文件夹；不给则用默认模型")] = None,
    report: Annotated[Path | None, typer.Option(help="把报告（HTML 和 JSON）写到这个文件夹")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="在标准输出上给出 JSON")] = False,
    home: Annotated[Path, typer.Option(envvar="JIESU_HOME", help="服务的主目录")] = Path("var"),
) -> None:
    """在带标签的数据上评估一个模型。"""
    dataset = from_table(data, {})
    judged = load(model) if model else default_model(home)
    result = evaluate(judged, dataset)
    if report:
        write_report(result, judged.taxonomy, report)
    if as_json:
        typer.echo(orjson.dumps(result.as_dict()).decode())
    else:
        _print(result)


def default_model(home: Path) -> Model:
    """The default model, fitted first if there is none of this corpus."""
    folder = default_folder(home)
    if not is_current(folder):
        stderr.print("默认模型还没有，现在用项目语料训练一次 …")
        fit_with_progress(from_corpus(), Taxonomy.read(TAXONOMY), folder)
    return load(folder)


def _print(report: Report) -> None:
    table = Table(title=f"{report.data}：{report.rows} 条，模型 {report.model}")
    for name in ("任务", "准确率", "95% 区间", "宏平均 F1", "ECE"):
        table.add_column(name, justify="left" if name == "任务" else "right")
    for task, score in report.tasks.items():
        low, high = score.interval
        table.add_row(TASK_NAMES[task], f"{score.accuracy:.3f}", f"{low:.3f}–{high:.3f}", f"{score.macro_f1:.3f}",
                      f"{score.calibration_error:.3f}")  # fmt: skip
    console = Console()
    console.print(table)
    if "category" in report.tasks:
        console.print(f"类别在前三之内：{report.tasks['category'].among(3):.3f}")
        console.print(f"不需人工：{report.coverage:.1%}，其中类别错误 {report.error_alone('category'):.1%}")
