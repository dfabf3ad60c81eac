"""The command `jiesu review`: what a filled sample says of the whole change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from corpora.markup import percent, span
from serving.backlog.report.review import Judged, Review, reviewed

FileArgument = Annotated[Path, typer.Argument(help="填好“对/错”一列的 review.xlsx（或另存的 CSV）")]
KINDS = {"changed": "有改动的行", "alone": "其中不需人工的", "kept": "没有改动的行"}


def review_command(
    file: FileArgument, json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False
) -> None:
    """看抽样核对的结果：对的比例，和它在全部行里的 95% 区间。"""
    found = reviewed(file)
    if json:
        typer.echo(orjson.dumps(found.as_dict()))
        return
    _show(found, Console())


def _show(found: Review, out: Console) -> None:
    table = Table("", "对", "错", "未填", "对的比例", "95% 区间")
    for name, title in KINDS.items():
        judged: Judged = getattr(found, name)
        said = judged.right + judged.wrong
        told = (percent(judged.share), span(judged.interval)) if said else ("—", "—")
        table.add_row(title, str(judged.right), str(judged.wrong), str(judged.blank), *told)
    out.print(table)
    changed = found.changed
    if not changed.right + changed.wrong:
        out.print("还没有填：请在“对/错”一列填“对”或“错”。")
    elif changed.blank:
        out.print(f"还有 {changed.blank} 行没有填；只挑好判的填，比例会偏高。")
