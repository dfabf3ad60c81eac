"""The command line: every command by its name, each folder's code loaded only when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click
import typer
from rich.console import Console

from nlp.errors import JiesuError

COMMANDS = {
    "decide": "serving.commands:decide_command",
    "classify": "serving.commands:classify_command",
    "serve": "serving.commands:serve_command",
    "fit": "training.commands:fit_command",
    "evaluate": "training.commands:evaluate_command",
}


def command(name: str) -> Any:
    """The click command of a name."""
    module, function = COMMANDS[name].split(":")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name)(getattr(import_module(module), function))
    return typer.main.get_command(app)


class Commands(click.Group):
    """A group that imports a command when it is needed: `decide` never waits for scikit-learn."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, or none of that name."""
        found: click.Command | None = command(cmd_name) if cmd_name in COMMANDS else None
        return found


def main() -> None:
    """Run a command; an error becomes one line on stderr and an exit code."""
    group = Commands("jiesu", help="接诉：读懂每一件诉求——是什么、谁来办、多快办、为什么。")
    try:
        group(prog_name="jiesu")
    except JiesuError as error:
        Console(stderr=True).print(f"jiesu：{error}", style="red", soft_wrap=True, markup=False, highlight=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
