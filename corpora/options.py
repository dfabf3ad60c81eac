"""Options of the command line that name the columns of a table, the same for every command that reads one."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = "表里的列名；不给则自动认"
Column = Annotated[str | None, typer.Option(help=HELP)]
Levels = Annotated[list[str] | None, typer.Option(help="类别的列名；一级一列的，依次给出几次；不给则自动认")]
Type = Annotated[str | None, typer.Option("--type", help=HELP)]
Id = Annotated[str | None, typer.Option("--id", help="编号的列名；不给则自动认")]


def named(**given: str | list[str] | None) -> dict[str, tuple[str, ...]]:
    """Role → the columns that were given for it; `type_` and `id_` stand for type and id."""
    columns = {role.rstrip("_"): (one,) if isinstance(one, str) else tuple(one or ()) for role, one in given.items()}
    return {role: names for role, names in columns.items() if any(names)}
