"""The commands of labelling as data staff call them, on a small real model."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from corpora.petitions import Row
from corpora.tables import read_table
from nlp.errors import InputError
from training.label.commands import label_commands

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(label_commands, [str(word) for word in words])


def told(result: Result) -> str:
    assert isinstance(result.exception, InputError), result.output
    return str(result.exception)


@pytest.fixture
def table(petitions: list[Row], tmp_path: Path) -> Path:
    path = tmp_path / "未标.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = [(row.id, row.title, row.text) for row in petitions[:60]]
        csv.writer(file).writerows([("工单编号", "标题", "诉求内容"), *rows, ("x", "", "")])
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_to_label_next_goes_out_comes_back_and_is_not_asked_again(
    run: Run, table: Path, model_folder: Path, tmp_path: Path
) -> None:
    out, rows = tmp_path / "下一批.jsonl", tmp_path / "rows.jsonl"
    done = run("next", table, "--n", 10, "--out", out, "--model", model_folder)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "从 61 条里挑出 10 条（没有文字的 1 条" in done.stderr
    tasks = rows_of(out)
    answered = [task | {"category": "漏水渗水", "operator": "甲"} for task in tasks[:8]]
    out.write_text("\n".join(json.dumps(task) for task in [*answered, *tasks[8:]]), encoding="utf-8")
    done = run("read", out, "--out", rows)
    assert (done.exit_code, "8 条写到" in done.stderr, "跳过 2 条" in done.stderr) == (0, True, True)
    written = rows_of(rows)
    assert [row["id"] for row in written] == [task["petition_id"] for task in tasks[:8]]
    assert {(row["category"], row["source"], row["operator"]) for row in written} == {("leak", "jsonl", "甲")}
    assert len(read_table(rows)) == 8  # as jiesu fit reads it
    done = run("next", table, "--n", 60, "--out", out, "--model", model_folder, "--labelled", rows)
    assert done.exit_code == 0
    assert not {row["petition_id"] for row in rows_of(out)} & {row["id"] for row in written}


def test_label_studio_gets_its_interface_and_masks_on_request(run: Run, model_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "来电.jsonl"
    row = {"text": "我叫李春华，电话13800138000，楼上漏水", "标题": "漏水"}
    data.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    out = tmp_path / "tasks.json"
    for words, holds in (((), True), (("--masked",), False)):
        done = run("next", data, "--out", out, "--model", model_folder, *words)
        assert done.exit_code == 0, done.output
        assert ("13800138000" in out.read_text(encoding="utf-8")) is holds
    assert "<Choices" in (tmp_path / "tasks.config.xml").read_text(encoding="utf-8")
    assert "13800138000" not in done.stderr


def test_annotators_who_differ_are_listed(run: Run, tmp_path: Path) -> None:
    def by(who: str, name: str, text: str) -> dict[str, object]:
        return {"petition_id": text, "text": text, "category": name, "annotator": who}

    file, out = tmp_path / "导出.json", tmp_path / "rows.jsonl"
    tasks = [by("甲", "漏水渗水", "一"), by("乙", "供电", "一"), by("甲", "供电", "二"), by("乙", "供电", "二")]
    file.write_text(json.dumps(tasks), encoding="utf-8")
    done = run("read", file, "--out", out)
    assert "意见不一、没有写出的 1 处" in done.stderr
    assert "甲 leak，乙 power" in done.stderr
    assert [(row["text"], row["category"], row["operator"]) for row in rows_of(out)] == [("二", "power", "乙")]


def test_corrections_are_counted_listed_and_written(run: Run, tmp_path: Path) -> None:
    codes = {"category": "leak", "tier": "community", "clock": "general", "type": "help"}
    decision = {"decision_id": "D", "route": {"unit": "桂香社区"}} | {k: {"code": v} for k, v in codes.items()}

    def line(id_: str, *feedback: dict[str, str]) -> str:
        each = [{"at": f"2026-11-23T09:0{number}:00+08:00"} | one for number, one in enumerate(feedback)]
        return json.dumps({"decision": decision, "petition": {"id": id_, "text": "滴水"}, "feedback": each})

    file, out = tmp_path / "反馈.jsonl", tmp_path / "rows.jsonl"
    accepted, returned = {"verdict": "accepted"}, {"verdict": "returned", "reason": "不归我单位管"}
    lines = [line("A", accepted), line("B", accepted, returned)]
    lines.append(
        line("C", *({"verdict": "corrected", "category": code, "operator": code} for code in ("noise", "leak")))
    )
    file.write_text("\n".join(lines), encoding="utf-8")
    done = run("corrections", file, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 个决定，2 条写到" in done.stderr
    assert "类别 1、层级 2、时限 2、诉求类型 2" in done.stderr
    assert "桂香社区，职责不符：不归我单位管；存疑：类别" in done.stderr
    assert "反馈.jsonl 第 3 行（C）类别：noise noise，leak leak" in done.stderr
    first, second = rows_of(out)
    assert first == {"id": "A", "title": "", "text": "滴水", **codes, "source": "accepted", "operator": ""}
    assert "category" not in second


def test_bad_use_is_told(run: Run, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    assert "--format" in told(run("next", table, "--out", tmp_path / "x.txt"))
    assert "没有列 正文（指定给 text）" in told(run("next", table, "--out", out, "--text", "正文"))
    numbers = tmp_path / "n.csv"
    numbers.write_text("a,b\n1,2\n", encoding="utf-8")
    assert "请用 --text 指定" in told(run("next", numbers, "--out", out))
    empty = tmp_path / "e.jsonl"
    empty.write_text('{"text": "滴水", "category": ""}', encoding="utf-8")
    assert "1 条都没有答案" in told(run("read", empty, "--out", out))
    assert not out.exists()
