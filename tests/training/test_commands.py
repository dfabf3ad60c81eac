"""The commands fit and evaluate, on a table as an office would have it."""

from __future__ import annotations

import csv
import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, Popen
from typing import Any

import pytest
from xlsxwriter import Workbook

import jiesu
import training.coldstart
import training.commands
from corpora.default import default_folder
from corpora.petitions import TAXONOMY, Row
from nlp.model import load
from nlp.progress import heard
from nlp.taxonomy import TASKS
from training.commands import busy, progressing
from training.dataset import Dataset
from training.fitting import Recipe
from training.heads import FitSettings

Run = Callable[..., "CompletedProcess[str]"]
HEAD = ["id", "title", "text", *TASKS]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], equipped: Path) -> Run:
    """`jiesu …` in this process, with a home that has a default model."""
    monkeypatch.setenv("JIESU_HOME", str(equipped))
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
    done = run("fit", table, "--out", tmp_path / "model")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"{len(petitions)} 条" in done.stderr
    model = load(tmp_path / "model")
    assert model.name.startswith("model-")
    assert model.card["data"] == "工单.csv"
    assert model.card["answered_by"] == {}
    again = run("evaluate", table, "--model", tmp_path / "model", "--json", "--report", tmp_path / "report")
    assert (again.returncode, again.stderr) == (0, "")
    told = json.loads(again.stdout)
    assert (told["rows"], told["model"]) == (len(petitions), model.name)
    kept = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert {key: kept[key] for key in told} == told
    assert not (tmp_path / "report" / "suspects.xlsx").exists()


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


def leaks(count: int, *labels: str) -> list[list[str]]:
    """Different texts under the same labels."""
    return [[f"花溪路{number}号楼下的水管漏水，住户报修{number + 3}次了", *labels] for number in range(count)]


ONE = ("leak", "grid", "general", "help")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (leaks(3, *ONE), "a.csv：只有 3 条，至少要 20 条"),
        (leaks(30, *ONE), "a.csv，列 category：有 1 种标签，没有两种是 4 条以上的"),
        (
            [*leaks(20, *ONE), ["水", "leak", "galaxy", "general", "help"]],
            "a.csv 第 22 行，列 tier：标签 'galaxy' 不在",
        ),
        ([["水", *ONE, "x", "y"]], "a.csv 第 2 行：有 7 列"),
        ([], "只有表头"),
    ],
    ids=["3-rows", "one-class", "unknown-tier", "too-many-cells", "head-only"],
)
def test_data_that_cannot_be_learned_from_is_named(run: Run, tmp_path: Path, rows: list[list[str]], named: str) -> None:
    path = write(tmp_path / "a.csv", rows, ["text", *TASKS])
    done = run("fit", path, "--out", tmp_path / "model")
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("head", "more", "named"),
    [
        (["编号", "标签"], [], "找不到正文列"),
        (["text", "标签"], ["--category", "没有这列"], "没有列 没有这列（指定给 category）；有：text、标签"),
        (["text", "标签"], ["--text", "别处"], "没有列 别处（指定给 text）"),
    ],
    ids=["no-text", "unknown-category", "unknown-text"],
)
def test_columns_that_are_not_there_are_named(
    run: Run, tmp_path: Path, head: list[str], more: list[str], named: str
) -> None:
    path = write(tmp_path / "a.csv", [[str(number), "甲乙"[number % 2]] for number in range(30)], head)
    done = run("fit", path, "--out", tmp_path / "model", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.csv" in done.stderr
    assert named in done.stderr


def test_a_label_that_a_given_taxonomy_lacks_is_refused_with_its_row(
    run: Run, office_table: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(TAXONOMY.read_text(encoding="utf-8"), encoding="utf-8")
    done = run("fit", office_table, "--out", tmp_path / "model", "--taxonomy", mine)
    assert (done.returncode, done.stdout) == (2, "")
    assert "工单.csv 第 2 行，列 标签：标签 '灯光组' 不在分类体系里" in done.stderr
    assert "--taxonomy" in done.stderr
    assert not (tmp_path / "model").exists()


@pytest.fixture
def office_table(office: Dataset, tmp_path: Path) -> Path:
    rows = [[one.text, code] for one, code in zip(office.petitions, office.labels["category"], strict=True)]
    return write(tmp_path / "工单.csv", rows, ["内容", "标签"])


def test_a_workbook_with_categories_of_its_own_becomes_a_model_and_a_report(
    run: Run, office: Dataset, tmp_path: Path
) -> None:
    """Two labels for one text, an English row and a class of one row do not stop it: they are told, with their rows."""
    pairs = list(zip((one.text for one in office.petitions), office.labels["category"], strict=True))
    rows = [
        *pairs,
        (pairs[0][0], "噪声组"),
        ("The lamp in our street is broken.", "灯光组"),
        ("树倒了压住车棚。", "花木组"),
    ]
    with Workbook(tmp_path / "工单.xlsx") as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([("诉求内容", "类别"), *rows]):
            sheet.write_row(line, 0, row)
    out, report = tmp_path / "model", tmp_path / "report"
    done = run("fit", tmp_path / "工单.xlsx", "--out", out, "--report", report, "--quick")
    assert (done.returncode, done.stdout) == (0, "")
    assert "正文 ← 列『诉求内容』" in done.stderr
    assert "第 2、202 行，类别：灯光组 1 次、噪声组 1 次" in done.stderr.replace("'", "")
    assert "第 203 行" in done.stderr
    assert "花木组 条数太少，没有学到" in done.stderr
    model = load(out)
    assert set(model.taxonomy.codes("category")) == {*office.labels["category"], "花木组"}
    assert model.card["answered_by"].keys() == {"tier", "clock", "type"}
    told = json.loads((report / "report.json").read_text(encoding="utf-8"))
    assert list(told["tasks"]) == ["category"]
    assert told["tasks"]["category"]["accuracy"] > 0.8
    kinds = {finding["kind"]: finding["lines"] for finding in told["findings"]}
    assert kinds["conflict"] == [2, 202]
    assert kinds["not_chinese"] == [203]
    assert kinds["not_learned"] == [204]
    assert "<html" in (report / "report.html").read_text(encoding="utf-8")[:500]
    with zipfile.ZipFile(report / "suspects.xlsx") as book:
        assert book.testzip() is None
    assert str(model.thresholds.confidence)[:3] in json.dumps(told["threshold"])


def test_gb18030_reads_as_utf_8_does_and_the_columns_name_the_scores(
    run: Run, office_table: Path, tmp_path: Path
) -> None:
    path = tmp_path / "国标.csv"
    path.write_bytes(office_table.read_text(encoding="utf-8-sig").encode("gb18030"))
    done = run("fit", path, "--out", tmp_path / "model", "--quick")
    assert (done.returncode, done.stdout) == (0, "")
    one, other = (
        json.loads(run("evaluate", each, "--model", tmp_path / "model", "--json").stdout)
        for each in (path, office_table)
    )
    assert list(one["tasks"]) == ["标签"]
    assert one["tasks"] == other["tasks"]
    assert one["tasks"]["标签"]["accuracy"] > 0.9


def test_a_folder_with_other_files_is_left_alone(run: Run, office_table: Path, tmp_path: Path) -> None:
    out = tmp_path / "文件"
    out.mkdir()
    (out / "年报.txt").write_text("不要动", encoding="utf-8")
    done = run("fit", office_table, "--out", out, "--quick")
    assert (done.returncode, done.stdout) == (2, "")
    assert "这里已有别的文件，不会覆盖；请换一个文件夹" in done.stderr
    assert [path.name for path in out.iterdir()] == ["年报.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["工单.csv", "文件"]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("名称,含义\n灯光组,路灯\n", "至少要两个类别"),
        ("名称,含义\n灯光组,路灯\n用水组,水管\n灯光组,灯杆\n", "灯光组"),
        ("编号,说明\n1,路灯\n2,水管\n", "找不到类别名称的列"),
    ],
    ids=["one-category", "twice", "no-name-column"],
)
def test_a_table_that_is_no_taxonomy_is_refused(run: Run, tmp_path: Path, lines: str, named: str) -> None:
    (tmp_path / "类别表.csv").write_text(lines, encoding="utf-8")
    done = run("fit", "--from-taxonomy", tmp_path / "类别表.csv", "--out", tmp_path / "model")
    assert (done.returncode, done.stdout) == (2, "")
    assert "类别表.csv" in done.stderr
    assert named in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_taxonomy_alone_becomes_a_model_that_asks(
    run: Run, corpus: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.coldstart, "read_rows", lambda: corpus[::40])
    (tmp_path / "类别表.csv").write_text("名称,含义\n灯光组,路灯不亮\n用水组,水管漏水停水\n", encoding="utf-8")
    done = run("fit", "--from-taxonomy", tmp_path / "类别表.csv", "--out", tmp_path / "model")
    assert (done.returncode, done.stdout) == (0, "")
    assert "每一件都请人核对" in done.stderr
    assert load(tmp_path / "model").taxonomy.codes("category") == ["灯光组", "用水组"]


def killed_while_writing(table: Path, out: Path, home: Path) -> None:
    """Start a fit in a process of its own, and kill it as soon as it writes its model (or, late, after it)."""
    command = [sys.executable, "-m", "jiesu", "fit", table, "--out", out, "--quick", "--home", home]
    with Popen(command, stdout=DEVNULL, stderr=DEVNULL) as process:
        while process.poll() is None and not list(out.parent.glob(f".{out.name}-*")):
            time.sleep(0.002)
        process.kill()


def test_a_fit_that_is_killed_leaves_nothing_in_sight(
    office_table: Path, equipped: Path, model_folder: Path, tmp_path: Path
) -> None:
    """While it writes; a model that stood there before can still be loaded."""
    folder = tmp_path / "models"
    folder.mkdir()
    killed_while_writing(office_table, folder / "new", equipped)
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert visible == [] or load(folder / "new").card["data"] == "工单.csv"
    assert [path.name for path in folder.iterdir()]  # it had begun to write


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
    monkeypatch.setattr(training.commands, "OWN", Recipe(heads=FitSettings(jobs=1), rare=4))
    done = run("evaluate", table, "--json", "--home", tmp_path / "home")
    assert done.returncode == 0
    assert "默认模型还没有" in done.stderr
    assert json.loads(done.stdout)["model"] == load(default_folder(tmp_path / "home")).name


def test_progress_is_told_line_by_line_where_somebody_reads_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIESU_PROGRESS", "lines")
    with progressing("训练") as step:
        step("第一折", 2)
        step("第一折", -2)
    with busy("写报告"):
        pass
    told = [heard(line) for line in capfd.readouterr().err.splitlines()]
    assert [(one.step, one.part) for one in told if one] == [
        ("训练", None), ("第一折", 0.0), ("第一折", 1.0), ("写报告", None),
    ]  # fmt: skip
