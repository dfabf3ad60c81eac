"""The commands as they are typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nlp.errors import InputError
from serving.backlog.commands import answers, batch_command, undo_command
from tests.serving.backlog.desk import NOW, Desk, read, tickets, written

app = typer.Typer()
app.command("batch")(batch_command)
app.command("undo")(undo_command)
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from nlp.errors import JiesuError
from tests.serving.backlog.test_commands import app
if __name__ == "__main__":
    try:
        app()
    except JiesuError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
"""


def test_a_batch_by_two_processes_and_back(desk: Desk, equipped: Path) -> None:
    written(desk / "in.csv", tickets(25))
    program = desk / "program.py"  # processes of its own need a file to begin with
    program.write_text(PROGRAM, encoding="utf-8")
    own = os.environ | {"JIESU_HOME": str(equipped), "JIESU_SECRET": "s" * 32, "PYTHONPATH": str(ROOT)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(program), *words],
            cwd=desk.folder,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("batch", "in.csv", "out.csv", "--workers", "2", "--chunk", "5", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "读了 25 行" in done.stderr
    again = run("batch", "in.csv", "out.csv", "--quiet")
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    back = run("undo", "out.csv.manifest.json")
    assert back.returncode == 0, back.stderr
    assert not (desk / "out.csv").exists()


def test_every_column_can_be_named_and_quiet_says_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_HOME", str(desk.settings.home))
    monkeypatch.setenv("JIESU_SECRET", "s" * 32)
    written(desk / "in.csv", tickets(3), ["a", "b", "c", "d", "e"])
    words = ["batch", str(desk / "in.csv"), str(desk / "out.csv"), "--workers", "1", "--quiet", "--now", NOW]
    words += ["--id", "a", "--title", "b", "--text", "c", "--time", "d", "--category", "e"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.output == ""
    rows = read(desk / "out.csv")
    assert all(row[rows[0].index("接诉_截止")] for row in rows[1:])


def test_what_is_to_be_mapped_is_read() -> None:
    assert answers(["category=一级分类", "due=期限=旧"]) == {"category": "一级分类", "due": "期限=旧"}
    for wrong in ("category", "=x", "category="):
        with pytest.raises(InputError, match="category=一级分类"):
            answers([wrong])
