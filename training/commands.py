"""The commands of training: fit and evaluate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from corpora.default import CORPUS, default_folder, is_current
from corpora.options import Column, Levels, Type, named
from corpora.petitions import TAXONOMY
from nlp import progress
from nlp.errors import InputError
from nlp.model import Model, check_place, load
from nlp.registry import chosen
from nlp.taxonomy import TASK_NAMES, Taxonomy
from training.coldstart import from_taxonomy
from training.evaluation import Report, evaluate
from training.fitting import OWN, Recipe, Step
from training.frozen import MOST, with_frozen
from training.labels import coded
from training.prior import prior_of
from training.report import Extras, write_report
from training.retraining import Prepared, Retrained, extras, prepare, retrain
from training.sources import Source, from_corpus, open_dataset, open_source

Home = Annotated[Path, typer.Option(envvar="JIESU_HOME", help="服务的主目录")]
stderr = Console(stderr=True)


def fit_command(
    data: Annotated[str | None, typer.Argument(help="带标签的 CSV、XLSX、JSONL、Parquet，或 datasets 数据集名")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="模型写到哪个文件夹")] = None,
    corpus: Annotated[bool, typer.Option("--corpus", help="用项目自己的语料训练默认模型")] = False,
    cold: Annotated[Path | None, typer.Option("--from-taxonomy", help="没有数据，只有类别表：从名称和含义起步")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="只训练一次，用留出的一成评分，不做交叉验证")] = False,
    taxonomy: Annotated[Path | None, typer.Option(help="分类体系（TOML）；给出时只认它的标签")] = None,
    report: Annotated[Path | None, typer.Option(help="把报告（HTML、JSON、待改标签的 XLSX）写到这个文件夹")] = None,
    encoder: Annotated[str | None, typer.Option(help="再微调一个编码器：名称或本地路径（需要 torch）")] = None,
    distil: Annotated[int | None, typer.Option(min=1, help="编码器只留下面的几层：更小、更快")] = None,
    text: Column = None,
    title: Column = None,
    category: Levels = None,
    tier: Column = None,
    clock: Column = None,
    type_: Type = None,
    time: Annotated[str | None, typer.Option(help="收到时间的列名：有时间就按时间留出最近的")] = None,
    group: Annotated[str | None, typer.Option(help="分组的列名：同组的行不拆开")] = None,
    home: Home = Path("var"),
) -> None:
    """用带标签的工单训练模型：类别、层级、时限、诉求类型，有哪几个就学哪几个。"""
    if sum((data is not None, corpus, cold is not None)) != 1:
        raise InputError(
            place="jiesu fit", reason="给出一个数据文件，或者用 --corpus，或者用 --from-taxonomy，三者取一"
        )
    if out is None:
        raise InputError(place="jiesu fit", reason="缺少 --out：模型写到哪个文件夹")
    check_place(out)
    base = Taxonomy.read(taxonomy or TAXONOMY)
    if cold:
        start_cold(cold, base, home, out)
        return
    tuning = opened_tuning() if encoder else None
    columns = named(
        text=text, title=title, category=category, tier=tier, clock=clock, type_=type_, time=time, group=group
    )
    prepared = prepared_from(data, columns, base, home, strict=taxonomy is not None) if data else corpus_rows(base)
    if tuning and "category" not in prepared.dataset.labels:
        raise InputError(place="--encoder", reason="数据里没有类别：编码器问不问，看的是类别有没有把握")
    default = default_model(home) if data else None
    done, model = fit_with_progress(prepared, Recipe(prior=prior_of(default)) if default else OWN, out, quick=quick)
    if tuning:
        with progressing(f"微调 {encoder}") as step:
            model = tuning.add_encoder(done.fit, prepared.dataset, model, encoder, distil, out, step)
    elif default and not quick:
        model = borrowed(done, prepared, model, default, out)
    if report:
        _report(done, prepared, model, live_model(home) if data else None, report)
    _tell(model, prepared, done, out)


def start_cold(path: Path, base: Taxonomy, home: Path, out: Path) -> None:
    """A first model from names and meanings alone; what it can be used for is told."""
    default = default_model(home)
    with busy("从项目语料里找与各类相近的诉求，训练 …"):
        model = from_taxonomy(path, default, base).save(out, out.name)
    stderr.print(
        f"模型 {model.name} 写到 {out}：只凭类别的名称和含义，没有见过一条带标签的工单；每一件都请人核对，"
        "有了标签就用 jiesu fit 重新训练",
        soft_wrap=True,
    )


def opened_tuning() -> ModuleType:
    """The code that needs torch, before anything is fitted in vain; raises `InputError` without torch."""
    try:
        return import_module("training.encoder.building")
    except ModuleNotFoundError as error:
        reason = f"没有装 {error.name}；请先运行 pip install -r requirements/encoder.txt"
        raise InputError(place="--encoder", reason=reason) from error


def _report(done: Retrained, prepared: Prepared, model: Model, live: Model | None, folder: Path) -> None:
    with busy("写报告：学习曲线、可疑标签、漂移 …"):
        told, judged = extras(done, prepared, model, live), replace(done.judged, model=model.name)
        write_report(judged, prepared.dataset, model.taxonomy, folder, told)
    stderr.print(f"报告在 {folder / 'report.html'}", soft_wrap=True)


def corpus_rows(base: Taxonomy) -> Prepared:
    """The project's own petitions, which its gates keep clean."""
    return Prepared(from_corpus(), base, (), ())


def prepared_from(data: str, columns: Mapping[str, Sequence[str]], base: Taxonomy, home: Path, *,
                  strict: bool) -> Prepared:  # fmt: skip
    """The rows of a source, ready to be learned from; which columns were taken and what was found is told."""
    source = open_source(data, columns)
    _tell_columns(source)
    with busy("清理：空的、重复的、近似的、标签不一致的 …"):
        prepared = prepare(source.dataset, base, home, strict=strict)
    for finding in prepared.findings:
        stderr.print(
            f"  {finding.title}：{finding.told}：{finding.count}（{finding.where}）", soft_wrap=True, markup=False
        )
    for conflict in prepared.conflicts[:5]:
        stderr.print(f"  标签不一致：{conflict.told}", soft_wrap=True, markup=False)
    return prepared


def _tell_columns(source: Source) -> None:
    for told in source.chosen.told():
        stderr.print(told, soft_wrap=True, markup=False)
    if source.sheet:
        stderr.print(f"工作簿有几张表，读的是『{source.sheet}』", soft_wrap=True, markup=False)
    if source.unread:
        lines = "、".join(map(str, source.unread[:10])) + ("等" if len(source.unread) > 10 else "")
        stderr.print(
            f"{len(source.unread)} 行的时间读不懂（第 {lines} 行），当作没有时间", soft_wrap=True, markup=False
        )


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """Tell what is being done, where nobody knows how long it takes."""
    progress.tell(doing)
    with stderr.status(doing):
        yield


@contextmanager
def progressing(doing: str) -> Iterator[Step]:
    """A progress bar on stderr, or lines for whoever reads them, and the function that moves it."""
    if progress.wanted():
        yield progress.Counter(doing)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task(doing, total=1)

        def step(now: str, steps: int) -> None:
            if steps > 0:
                bar.update(task, description=now, total=steps, completed=0)
            else:
                bar.update(task, description=now, advance=-steps)

        yield step


def borrowed(done: Retrained, prepared: Prepared, model: Model, default: Model, out: Path) -> Model:
    """The model with the default's encoder under heads of its own, where rows are few enough and have categories."""
    if not default.encoder or len(prepared.dataset) > MOST or "category" not in prepared.dataset.labels:
        return model
    with progressing("编码器") as step:
        return with_frozen(done.fit, prepared.dataset, model, default.encoder, out, step)


def fit_with_progress(prepared: Prepared, recipe: Recipe, out: Path, *, quick: bool = False) -> tuple[Retrained, Model]:
    """Fit and save, with a progress bar on stderr."""
    with progressing(f"训练 {prepared.dataset.name}") as step:
        done = retrain(prepared, recipe, step, quick=quick)
    return done, done.fit.model.save(out, "default" if prepared.dataset.name == CORPUS else out.name)


def _tell(model: Model, prepared: Prepared, done: Retrained, out: Path) -> None:
    scores = {task: score.as_dict() for task, score in done.judged.tasks.items()}
    told = "，".join(f"{TASK_NAMES[task]} {100 * score['accuracy']:.1f}%" for task, score in scores.items())
    stderr.print(
        f"模型 {model.name} 写到 {out}（{len(prepared.dataset)} 条；{done.apart}；准确率：{told}）", soft_wrap=True
    )
    for task, codes in model.card["not_learned"].items():
        rare = [code for code in codes if code in set(prepared.dataset.labels[task])]
        if rare:
            stderr.print(f"  {TASK_NAMES[task]}：{'、'.join(rare)} 条数太少，没有学到", soft_wrap=True, markup=False)
    for task, who in model.card["answered_by"].items():
        labels = f"中没有学到的 {len(who['labels'])} 种" if task in prepared.dataset.labels else ""
        stderr.print(f"  {TASK_NAMES[task]}{labels}由 {who['model']} 作答，决定里会注明", soft_wrap=True, markup=False)


def evaluate_command(
    data: Annotated[str, typer.Argument(help="带标签的 CSV、XLSX、JSONL、Parquet，或 datasets 数据集名")],
    model: Annotated[Path | None, typer.Option(help="模型文件夹；不给则用在用的模型")] = None,
    report: Annotated[Path | None, typer.Option(help="把报告（HTML 和 JSON）写到这个文件夹")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="在标准输出上给出 JSON")] = False,
    high: Annotated[bool, typer.Option("--high", help="也问编码器（accuracy=high）")] = False,
    text: Column = None,
    title: Column = None,
    category: Levels = None,
    tier: Column = None,
    clock: Column = None,
    type_: Type = None,
    home: Home = Path("var"),
) -> None:
    """在带标签的数据上评估一个模型。"""
    columns = named(text=text, title=title, category=category, tier=tier, clock=clock, type_=type_)
    judged = load(model) if model else live_model(home)
    dataset = coded(open_dataset(data, columns), judged.taxonomy)
    result = evaluate(judged, dataset, high=high)
    if report:
        write_report(result, dataset, judged.taxonomy, report, Extras(threshold=judged.thresholds.confidence))
    if as_json:
        told = result.as_dict()
        told["tasks"] = {dataset.heading(task): score for task, score in told["tasks"].items()}
        typer.echo(orjson.dumps(told).decode())
    else:
        _print(result)


def live_model(home: Path) -> Model:
    """The model in use: the promoted one, or the default."""
    folder = chosen(home, None)
    return load(folder) if folder else default_model(home)


def default_model(home: Path) -> Model:
    """The project's own model, fitted first if there is none of this corpus."""
    folder = default_folder(home)
    if not is_current(folder):
        stderr.print("默认模型还没有，现在用项目语料训练一次 …")
        fit_with_progress(corpus_rows(Taxonomy.read(TAXONOMY)), OWN, folder)
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
