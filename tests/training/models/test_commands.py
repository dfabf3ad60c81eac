"""The commands `models` and `test-set`, as an office would use them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from corpora.petitions import Row
from nlp.errors import InputError, RefusedModel
from nlp.model import Model, load
from nlp.registry import DEFAULT
from nlp.taxonomy import TASKS
from training.gates import LIMITS, compare
from training.models import commands
from training.promotion import NotPromoted

Run = Callable[..., Result]
HEAD = ["id", "title", "text", *TASKS]


@pytest.fixture
def home(tmp_path: Path, model_folder: Path) -> Path:
    """A home with a default model in its place."""
    shutil.copytree(model_folder, tmp_path / "home" / "models" / "default")
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`jiesu models …` or `jiesu test-set …`; the default is there already, and the clock is not judged."""
    monkeypatch.setenv("JIESU_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(commands, "default_model", lambda at: load(at / "models" / "default"))
    limits = replace(LIMITS, slower=9.0, resamples=200, timed=5, turns=1)
    monkeypatch.setattr("training.promotion.compare", lambda old, new, data, _: compare(old, new, data, limits))

    def called(*arguments: object) -> Result:
        group, *rest = map(str, arguments)
        return CliRunner().invoke(
            {"models": commands.models_commands, "test-set": commands.testset_commands}[group], rest
        )

    return called


@pytest.fixture
def table(petitions: list[Row], tmp_path: Path) -> Path:
    path = tmp_path / "工单.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *([getattr(row, name) for name in HEAD] for row in petitions[:200])])
    return path


@pytest.fixture
def twin(model: Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "twin", "twin")
    return tmp_path / "twin"


@pytest.fixture
def worse(model: Model, tmp_path: Path) -> Path:
    heads = replace(model.heads, weights=model.heads.weights * 0)
    replace(model, heads=heads).save(tmp_path / "worse", "worse")
    return tmp_path / "worse"


def states(run: Run) -> dict[str, str]:
    return {row["name"]: row["state"] for row in json.loads(run("models", "list", "--json").stdout)}


def test_from_freezing_to_rolling_back(run: Run, home: Path, table: Path, twin: Path, worse: Path) -> None:
    frozen = run("test-set", "freeze", table, "--share", "0.3")
    assert frozen.exit_code == 0
    assert (frozen.stdout, "冻结了" in frozen.stderr, "0600" in frozen.stderr) == ("", True, True)
    assert states(run) == {DEFAULT: "在用"}
    done = run("models", "promote", twin, "--reason", "第一个")
    assert done.exit_code == 0
    for word in ("宏平均 F1", "红线召回", "置信误差 ECE", "每件用时", "通过", "冻结的测试集（工单.csv）"):
        assert word in done.stdout
    better, bad = load(twin).name, load(worse).name
    assert f"换上了 {better}" in done.stderr
    refused = run("models", "promote", worse, "--json")
    assert isinstance(refused.exception, NotPromoted)
    told = json.loads(refused.stdout)
    assert (told["event"], told["champion"], told["comparison"]["passed"]) == ("refused", better, False)
    assert states(run) == {DEFAULT: "曾用", better: "在用", bad: "候选"}
    assert run("models", "promote", bad, "--force", "--reason", "演练一次").exit_code == 0
    assert states(run) == {DEFAULT: "曾用", better: "曾用", bad: "在用"}
    rolled = run("models", "rollback", "--reason", "演练完毕", "--json")
    assert json.loads(rolled.stdout)["model"] == better
    assert states(run) == {DEFAULT: "曾用", better: "在用", bad: "曾用"}
    shown = run("models", "show", better)
    assert shown.exit_code == 0
    for word in ("在用", "第一个", "没有通过", "退回", "准确率"):
        assert word in shown.stdout
    events = json.loads(run("models", "show", better, "--json").stdout)["history"]
    assert [event["event"] for event in events] == ["promoted", "refused", "promoted", "rolled_back"]
    assert run("models", "rollback").exit_code == 0
    assert states(run)[DEFAULT] == "在用"


def test_the_list_is_printed_for_a_person(run: Run, model: Model) -> None:
    done = run("models", "list")
    assert done.exit_code == 0
    for word in ("版本", DEFAULT, "在用", str(model.card["rows"])):
        assert word in done.stdout


def test_a_model_is_compared_on_other_data_when_asked(run: Run, table: Path, twin: Path) -> None:
    done = run("models", "promote", twin, "--data", table, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["comparison"]["data"] == "工单.csv"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("promote", "{twin}"), "jiesu test-set freeze"),
        (("promote", "{twin}", "--force"), "--reason"),
        (("promote", "{twin}", "--force", "--reason", "急"), "--reason"),
        (("promote", "{twin}", "--data", "nowhere.csv", "--force", "--reason", "演练一次"), "nowhere.csv"),
        (("promote", "nowhere"), "nowhere"),
        (("show", "nowhere"), "nowhere"),
        (("show", "../x"), "版本名"),
        (("rollback",), "没有更早的"),
    ],
)
def test_what_cannot_be_done_is_named(run: Run, twin: Path, arguments: tuple[str, ...], named: str) -> None:
    done = run("models", *(word.format(twin=twin) for word in arguments))
    assert isinstance(done.exception, InputError | RefusedModel)
    assert done.exception.exit_code == 2
    assert named in str(done.exception)
    assert states(run)[DEFAULT] == "在用"


def test_columns_of_a_test_set_can_be_named(run: Run, petitions: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["长", "一"], *([row.text, row.category] for row in petitions[:150])])
    done = run("test-set", "freeze", path, "--text", "长", "--category", "一")
    assert (done.exit_code, "冻结了" in done.stderr) == (0, True)
    again = run("test-set", "freeze", path, "--text", "长", "--category", "一")
    assert isinstance(again.exception, InputError)
    wrong = run("test-set", "freeze", path, "--text", "长", "--category", "二", "--again", "--reason", "列名写错")
    assert "列 二" in str(wrong.exception)
