"""The page for databases does what it says: its commands, one after the other, on a table of a new user."""

from __future__ import annotations

import gc
import re
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from nlp.errors import InputError, JiesuError
from serving.backlog.answers import KEYS
from serving.backlog.commands import batch_command, undo_command
from serving.backlog.database.images import Images
from tests.serving.backlog.database.conftest import TEXTS

PAGE = Path(__file__).parents[4] / "docs" / "databases.md"
ROWS = 40


class Stopped(JiesuError):
    """{reason}"""


def commands() -> list[list[str]]:
    """The words after `jiesu` in every command that needs no server."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if "sqlite" in line]


@pytest.fixture
def jiesu(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command as the page shows it, with the small model; what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    program = typer.Typer()
    program.command("batch")(batch_command)
    program.command("undo")(undo_command)

    def called(words: list[str]) -> str:
        gc.collect()  # a command before this one would have been a process of its own, and its connections gone
        more = ["--model", str(model_folder), "--workers", "1"] if words[0] == "batch" else []
        result = CliRunner().invoke(program, [*words, *more], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return called


@pytest.fixture
def hotline(tmp_path: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Ask the new user's database, which has labels of an old taxonomy."""

    def ask(statement: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(tmp_path / "hotline.db")
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    ask("CREATE TABLE petition (id INTEGER PRIMARY KEY, 内容 TEXT, 一级分类 TEXT)")
    for row in range(1, ROWS + 1):
        ask(f"INSERT INTO petition VALUES ({row}, '{TEXTS[row % len(TEXTS)]}', '旧{row % 3}')")  # noqa: S608
    return ask


def test_the_page_leads_from_a_dry_run_to_an_undone_change(
    jiesu: Callable[..., str], hotline: Callable[[str], list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    dry, real, undo, other = commands()
    before = hotline("SELECT * FROM petition")
    jiesu(dry)
    assert hotline("SELECT * FROM petition") == before
    assert (tmp_path / "petition.report" / "change.html").exists()
    jiesu(real)
    rows = hotline("SELECT 一级分类, jiesu_category_name FROM petition")
    assert len(rows) == ROWS
    assert all(label == answer and not label.startswith("旧") for label, answer in rows)
    said = jiesu(undo)
    assert f"还原了 {ROWS} 行" in said
    assert hotline("SELECT * FROM petition") == before
    jiesu(other)
    assert hotline("SELECT id, 内容, 一级分类 FROM answered") == before
    assert hotline("SELECT COUNT(*) FROM answered WHERE jiesu_category IS NOT NULL") == [(ROWS,)]
    assert jiesu(["undo", "answered.manifest.json", *undo[2:4]])
    assert hotline("SELECT name FROM sqlite_master WHERE type = 'table'") == [("petition",)]


def test_the_files_that_the_page_names_are_there(
    jiesu: Callable[..., str], hotline: Callable[[str], list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    _, real, undo, _ = commands()
    jiesu(real)
    hotline("UPDATE petition SET 一级分类 = '人改的' WHERE id = 7")
    jiesu(undo)
    named = {"petition.images", "petition.manifest.json"}
    assert named <= {path.name for path in tmp_path.iterdir()}
    assert all(name in PAGE.read_text(encoding="utf-8") for name in named)
    assert hotline("SELECT 一级分类 FROM petition WHERE id IN (6, 7)") == [("旧0",), ("人改的",)]
    assert hotline("SELECT COUNT(*) FROM pragma_table_info('petition')") == [(3 + len(KEYS),)]


def test_a_change_that_was_interrupted_is_resumed(
    jiesu: Callable[..., str],
    hotline: Callable[[str], list[tuple[Any, ...]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When half of the rows are written, the table is no longer the one that the run began with."""
    _, real, undo, _ = commands()
    before = hotline("SELECT * FROM petition")
    monkeypatch.setattr("serving.backlog.database.apply.PIECE", 16)
    marked = Images.mark

    def stopped(images: Images, number: int) -> None:
        if number == 1:
            raise Stopped(reason="停电")
        marked(images, number)

    with monkeypatch.context() as patch:
        patch.setattr(Images, "mark", stopped)
        with pytest.raises(Stopped):
            jiesu(real)
    assert hotline("SELECT COUNT(*) FROM petition WHERE jiesu_category IS NOT NULL") == [(32,)]
    assert not (tmp_path / "petition.manifest.json").exists()
    with pytest.raises(InputError, match="--resume"):
        jiesu(real)
    assert "没有写" not in jiesu([*real, "--resume"])
    assert hotline("SELECT COUNT(*) FROM petition WHERE jiesu_category IS NOT NULL") == [(ROWS,)]
    assert f"还原了 {ROWS} 行" in jiesu(undo)
    assert hotline("SELECT * FROM petition") == before
