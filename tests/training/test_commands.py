"""The commands fit and evaluate, on a table as an office would have it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import jiesu
import training.commands
from corpora.default import default_folder
from corpora.petitions import Row
from nlp.model import load
from nlp.taxonomy import TASKS
from training.dataset import Dataset
from training.fitting import Recipe
from training.heads import FitSettings

Run = Callable[..., "CompletedProcess[str]"]
HEAD = ["id", "title", "text", *TASKS]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`jiesu …` in this process, with a home of its own."""
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def called(*arguments: object) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["jiesu", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            jiesu.main()
        out, err = capsys.readouterr()
        return CompletedProcess(sys.argv, int(ended.value.code or 0), out, err)

    return called


def write(path: Path, rows: list[list[str]], head: list[str]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


@pytest.fixture
def table(petitions: list[Row], tmp_path: Path) -> Path:
    return write(tmp_path / "工单.csv", [[getattr(row, name) for name in HEAD] for row in petitions], HEAD)


def test_a_table_is_fitted_reported_and_evaluated(run: Run, table: Path, tmp_path: Path, petitions: list[Row]) -> None:
    done = run("fit", table, "--out", tmp_path / "model", "--report", tmp_path / "report")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{len(petitions)} 条" in done.stderr
    model = load(tmp_path / "model")
    assert model.name.startswith("model-")
    assert model.card["data"] == "工单.csv"
    assert json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["rows"] == len(petitions)
    again = run("evaluate", table, "--model", tmp_path / "model", "--json")
    assert (again.returncode, again.stderr) == (0, "")
    told = json.loads(again.stdout)
    assert told == json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))


def test_a_table_with_categories_only_ends_without_a_trace(run: Run, petitions: list[Row], tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [[row.text, row.category] for row in petitions], ["text", "label"])
    done = run("fit", path, "--out", tmp_path / "model")
    assert done.returncode in (0, 2)
    assert done.returncode == 0 or "tier" in done.stderr


def test_columns_can_be_named(run: Run, petitions: list[Row], tmp_path: Path) -> None:
    head = ["编号", "短", "长", "一", "二", "三", "四"]
    path = write(tmp_path / "a.csv", [[getattr(row, name) for name in HEAD] for row in petitions], head)
    named = ["--title", "短", "--text", "长", "--category", "一", "--tier", "二", "--clock", "三", "--type", "没有"]
    done = run("fit", path, "--out", tmp_path / "model", *named)
    assert done.returncode == 2
    assert "没有列 没有（指定给 type）" in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_broken_table_leaves_the_older_model_alone(run: Run, model_folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in model_folder.iterdir()}
    path = write(tmp_path / "a.csv", [["水", "dragons"]] * 30, ["text", "label"])
    done = run("fit", path, "--out", model_folder)
    assert done.returncode == 2
    assert {path.name: path.read_bytes() for path in model_folder.iterdir()} == before


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([["水", "leak", "grid", "general", "help"]] * 3, "只有 3 条"),
        ([["水", "leak", "grid", "general", "help"]] * 30, "列 category"),
        ([["水", "leak", "grid", "general", "help"]] * 20 + [["水", "leak", "galaxy", "general", "help"]], "第 21 条"),
        ([["水", "leak", "grid", "general", "help", "x", "y"]], "第 2 行"),
    ],
)
def test_data_that_cannot_be_learned_from_is_named(run: Run, tmp_path: Path, rows: list[list[str]], named: str) -> None:
    path = write(tmp_path / "a.csv", rows, ["text", *TASKS])
    done = run("fit", path, "--out", tmp_path / "model")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.csv" in done.stderr
    assert named in done.stderr
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("arguments", [("fit",), ("fit", "--corpus"), ("fit", "a.csv", "--corpus", "--out", "x")])
def test_a_fit_without_what_it_needs_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "jiesu fit" in done.stderr


@pytest.mark.parametrize("command", [("fit", "--out", "x"), ("evaluate",)])
def test_a_missing_table_is_named(run: Run, model_folder: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    more = ("--model", model_folder) if command[0] == "evaluate" else ()
    done = run(*command, tmp_path / "nowhere.csv", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.csv" in done.stderr


def test_an_evaluation_is_printed_for_a_person(run: Run, table: Path, model_folder: Path) -> None:
    done = run("evaluate", table, "--model", model_folder)
    assert done.returncode == 0
    for word in ("类别", "层级", "时限", "诉求类型", "准确率", "工单.csv"):
        assert word in done.stdout


def test_an_evaluation_as_json_has_the_keys_of_the_contract(run: Run, table: Path, model_folder: Path) -> None:
    done = run("evaluate", table, "--model", model_folder, "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert list(told["tasks"]) == list(TASKS)
    for score in told["tasks"].values():
        assert {"accuracy", "macro_f1", "interval", "calibration_error"} <= set(score)


def test_without_a_default_model_one_is_fitted_and_said(
    run: Run, table: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.commands, "from_corpus", lambda: dataset)
    monkeypatch.setattr(training.commands, "Recipe", lambda: Recipe(heads=FitSettings(jobs=1)))
    done = run("evaluate", table, "--json")
    assert done.returncode == 0
    assert "默认模型还没有" in done.stderr
    assert json.loads(done.stdout)["model"] == load(default_folder(tmp_path / "home")).name
