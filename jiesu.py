"""The command line: every command by its name, each folder's code loaded only when it is asked for."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import typer

from nlp.errors import JiesuError

COMMANDS = {
    "decide": "serving.commands:decide_command",
    "classify": "serving.commands:classify_command",
    "serve": "serving.start:serve_command",
    "batch": "serving.backlog.commands:batch_command",
    "undo": "serving.backlog.commands:undo_command",
    "review": "serving.backlog.report.commands:review_command",
    "batches": "serving.batches.commands:batches_commands",
    "fit": "training.commands:fit_command",
    "evaluate": "training.commands:evaluate_command",
    "models": "training.models.commands:models_commands",
    "test-set": "training.models.commands:testset_commands",
    "label": "training.label.commands:label_commands",
    "encoder": "training.encoder.commands:encoder_commands",
    "corpus": "corpora.commands:corpus_commands",
    "keys": "serving.access.commands:keys_commands",
    "audit": "serving.audit.commands:audit_commands",
    "events": "serving.events.commands:events_commands",
    "store": "serving.store.commands:store_commands",
    "desk": "serving.desk.data.commands:desk_commands",
    "corrections": "serving.corrections:corrections_command",
    "route": "serving.rules.commands:route_commands",
    "catalogue": "serving.rules.commands:catalogue_commands",
}


def program(words: list[str]) -> typer.Typer:
    """The command that the words begin with, or all of them: `decide` never waits for scikit-learn."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
    app.callback(help="接诉：读懂每一件诉求——是什么、谁来办、多快办、为什么。")(lambda: None)
    for name in [word for word in words[:1] if word in COMMANDS] or COMMANDS:
        module, function = COMMANDS[name].split(":")
        command = getattr(import_module(module), function)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    """Run a command; an error becomes one line on stderr and an exit code, without anybody's text."""
    try:
        program(sys.argv[1:])(prog_name="jiesu")
    except JiesuError as error:
        print(f"jiesu：{error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except ModuleNotFoundError as error:
        print(f"jiesu：没有装 {error.name}；这个命令要 requirements/train.lock 里的包（make setup）", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except OSError as error:
        print(f"jiesu：{error.filename or '读写'}：{error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"jiesu：内部错误 {type(error).__name__}，在 {place.filename}:{place.lineno}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
