"""The commands of the rules: explain, replay, return and compare routes; check catalogues, look codes up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from corpora.petitions import default_taxonomy
from nlp.dispatch import Dispatcher
from nlp.errors import InputError
from nlp.features import FeatureSettings
from nlp.route.audit import audit
from nlp.route.returns import Returned
from nlp.route.rulebase import Rulebase
from nlp.segment import open_segmenter
from nlp.taxonomy import Taxonomy
from serving.draft import drafted
from serving.options import ModelOption, ProfileOption, moment, opened, read_settings
from serving.rules.cases import CaseReader, Cases
from serving.rules.compare import compared
from serving.rules.explain import explained
from serving.rules.office import open_decider
from serving.rules.replay import Replay, changes
from serving.rules.returning import proposed

route_commands = typer.Typer(no_args_is_help=True, help="派单：看一件诉求怎样派出、目录改了会怎样、退单后派给谁。")
catalogue_commands = typer.Typer(no_args_is_help=True, help="派单目录：检查、事件编码对照。")
FileArgument = Annotated[str, typer.Argument(help="JSONL：诉求、带四个编码的诉求，或 decide 的输出；- 为标准输入")]
IdOption = Annotated[str, typer.Option("--id", help="诉求的编号")]
NowOption = Annotated[str | None, typer.Option(help="当前时间（ISO 8601），默认取系统时钟")]
stderr = Console(stderr=True)


class _Desk:
    """What the commands share: settings, and a decider that is opened when it is first needed."""

    def __init__(self, profile: str | None, model: Path | None) -> None:
        self.settings = read_settings(profile=profile)
        self._model = model
        self.decider = cache(lambda: open_decider(self.settings, model))

    def cases(self, file: str, lines: BinaryIO) -> Iterator[Cases]:
        """The cases of a file, a part at a time."""
        return CaseReader(file, self.settings, self.taxonomy, self.decider).read(lines)

    @property
    def taxonomy(self) -> Taxonomy:
        """The taxonomy of the model that was set, or the default one, which needs no model."""
        own = self._model or self.settings.model
        return self.decider().model.taxonomy if own else default_taxonomy()

    def dispatcher(self, catalogue: Path | None = None) -> Dispatcher:
        """The rules in force, with another catalogue where one is given."""
        rules = Rulebase.read(self.taxonomy, self.settings.rules, catalogue)
        rules.profile(self.settings.profile)
        return Dispatcher(rules, open_segmenter(FeatureSettings().segmenter))


@contextmanager
def _one(desk: _Desk, file: str, wanted: str) -> Iterator[tuple[Cases, int]]:
    """The case with a number, and its place in its part; raises `InputError` where the file holds none."""
    with opened(file) as lines:
        for cases in desk.cases(file, lines):
            for row, petition in enumerate(cases.petitions):
                if petition.id == wanted:
                    yield cases, row
                    return
    raise InputError(place=file, reason=f"没有编号为 {wanted} 的诉求")


@route_commands.command("explain")
def explain_command(
    file: FileArgument,
    wanted: IdOption,
    profile: ProfileOption = None,
    model: ModelOption = None,
    now: NowOption = None,
) -> None:
    """一件诉求怎样走过每条规则，写给办事的人看。"""
    desk = _Desk(profile, model)
    time = moment(desk.settings, now)
    dispatcher = desk.dispatcher()
    with _one(desk, file, wanted) as (cases, row):
        sent = cases.dispatch(dispatcher, desk.settings.profile, time)[row]
        received = cases.petitions[row].received_at or time
        text = "\n".join(filter(None, (cases.reading.masked(2 * row), cases.reading.masked(2 * row + 1))))
    system = dispatcher.router.rules.profile(desk.settings.profile)
    Console().print(explained(sent, text, received, system))


@route_commands.command("replay")
def replay_command(
    data: FileArgument,
    catalogue: Annotated[Path, typer.Option(help="新的派单目录（CSV）")],
    profile: ProfileOption = None,
    model: ModelOption = None,
    now: NowOption = None,
    out: Annotated[Path | None, typer.Option(help="把每一处变化写成 JSONL")] = None,
) -> None:
    """换上新目录，过去的诉求会派给谁：列出变化，不改任何东西。"""
    desk = _Desk(profile, model)
    time = moment(desk.settings, now)
    before, after = desk.dispatcher(), desk.dispatcher(catalogue)
    run = Replay()
    writing = drafted(out) if out else nullcontext()
    with opened(data) as lines, writing as kept, Progress(console=stderr, transient=True) as progress:
        task = progress.add_task("重放", total=None)
        for change in changes(desk.cases(data, lines), before, after, desk.settings.profile, time, run):
            progress.update(task, completed=run.petitions, description=f"重放 {run.petitions} 件")
            if kept:
                kept.write(orjson.dumps(asdict(change)) + b"\n")
    Console().print(run.table())


@route_commands.command("return")
def return_command(
    file: FileArgument,
    wanted: IdOption,
    unit: Annotated[list[str], typer.Option(help="退单的单位；退过几次就写几次，先后为序")],
    reason: Annotated[list[str], typer.Option(help="退单理由，与 --unit 一一对应")],
    profile: ProfileOption = None,
    model: ModelOption = None,
    now: NowOption = None,
) -> None:
    """退单之后建议派给谁、为什么；退单的单位不再派。"""
    if not all(unit):
        raise InputError(place="--unit", reason="不能空")
    if len(unit) != len(reason):
        raise InputError(place="--reason", reason=f"有 {len(unit)} 个 --unit，{len(reason)} 个 --reason，须一一对应")
    desk = _Desk(profile, model)
    time, dispatcher = moment(desk.settings, now), desk.dispatcher()
    back = [Returned(who, why) for who, why in zip(unit, reason, strict=True)]
    with _one(desk, file, wanted) as (cases, row):
        sent, proposal = proposed(dispatcher, desk.settings.profile, cases, row, back, time)
    table = Table(show_header=False, box=None, padding=(0, 2))
    told = {
        "原派": sent.matters[0].route.unit, "改派": proposal.route.unit, "方式": proposal.route.mode,
        "理由": proposal.why, "步骤": " → ".join(proposal.route.steps),
        "期限": f"{proposal.route.due}（不重新起算）", "督办": proposal.reported,
    }  # fmt: skip
    for name, value in told.items():
        if value:
            table.add_row(name, Text(value))
    Console().print(table)


@route_commands.command("compare")
def compare_command(
    file: FileArgument,
    model: ModelOption = None,
    now: NowOption = None,
) -> None:
    """同样的诉求在每个治理体系下怎样派出，并排列出（Markdown）。"""
    desk = _Desk(None, model)
    time, dispatcher = moment(desk.settings, now), desk.dispatcher()
    with opened(file) as lines:
        for cases in desk.cases(file, lines):
            for line in compared(cases, dispatcher, time):
                typer.echo(line)


@catalogue_commands.command("check")
def check_command(
    catalogue: Annotated[Path | None, typer.Argument(help="派单目录（CSV）；不给则查正在用的")] = None,
    model: ModelOption = None,
    now: NowOption = None,
) -> None:
    """查派单目录：缺口、相交、过期、不可达的条目，逐条给出行号；有问题时退出码为 2。"""
    desk = _Desk(None, model)
    day = moment(desk.settings, now).date()
    rules = Rulebase.read(desk.taxonomy, desk.settings.rules, catalogue)
    findings = audit(rules.catalogue, rules.taxonomy, day)
    for finding in findings:
        place = f"{rules.catalogue.source} 第 {finding.line} 行" if finding.line else rules.catalogue.source
        typer.echo(f"{place}：{finding.kind}：{finding.told}")
    stderr.print(
        f"{len(rules.catalogue.rows)} 条，版本 {rules.catalogue.version}，{len(findings)} 处问题", markup=False
    )
    if findings:
        raise InputError(place=rules.catalogue.source, reason=f"{len(findings)} 处问题，见上")


@catalogue_commands.command("codes")
def codes_command(
    city: Annotated[str, typer.Argument(help="对照表的名字，如 cjt214、yuncheng")],
    codes: Annotated[list[str] | None, typer.Argument(help="事件编码，或类别；不给则列出全表")] = None,
    model: ModelOption = None,
) -> None:
    """城市管理事件编码与类别的对照；对不上的编码列在 stderr，退出码为 2。"""
    desk = _Desk(None, model)
    crosswalks = Rulebase.read(desk.taxonomy, desk.settings.rules).crosswalks
    if city not in crosswalks:
        raise InputError(place="对照表", reason=f"没有名为 {city} 的，可用：{'、'.join(crosswalks)}")
    table = crosswalks[city]
    names = {label.code: label.name for label in desk.taxonomy.labels("category")}
    for category in [code for code in codes or () if code in names]:
        event = table.event(category)
        typer.echo(f"{event.code}\t{category}\t{event.name}" if event else f"—\t{category}\t没有编码")
    wanted = [code for code in codes or [event.code for event in table.events] if code not in names]
    for code in wanted:
        if category := table.category(code):
            typer.echo(f"{code}\t{category}\t{names.get(category, '')}")
    if lost := table.unmapped(wanted):
        print(f"{city}：没有对应类别的编码：{'、'.join(lost)}", file=sys.stderr)  # noqa: T201
    unsent = table.unsent(names)
    stderr.print(f"没有编码的类别 {len(unsent)} 个：{'、'.join(unsent)}", markup=False)
    if codes and lost:
        raise InputError(place=city, reason=f"{len(lost)} 个编码没有对应的类别")
