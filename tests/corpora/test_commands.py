"""`jiesu corpus check / stats / build`, as a person calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpora import commands
from corpora.commands import corpus_commands
from corpora.gates import Corpus, Gate
from corpora.petitions import Row, corpus_hash
from nlp.errors import InputError
from nlp.taxonomy import TASKS

RUNNER = CliRunner()


def gate(open_: bool) -> Callable[[Corpus, object], Gate]:
    offenders = () if open_ else tuple(f"w-{number}" for number in range(30))
    return lambda _corpus, _limits: Gate("条数", "30", "≥ 40", offenders)


def test_a_corpus_that_passes_is_told_as_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "GATES", (gate(True),))
    result = RUNNER.invoke(corpus_commands, ["check"])
    assert result.exit_code == 0
    assert "合格" in result.stdout
    assert "不合格" not in result.stdout


def test_a_closed_gate_is_named_with_what_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "GATES", (gate(True), gate(False)))
    result = RUNNER.invoke(corpus_commands, ["check"])
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert "不合格" in result.stdout
    assert "w-9" in result.stdout
    assert "w-10" not in result.stdout
    assert "共 30 处" in result.stdout


def test_stats_tell_every_category_and_the_agreement(corpus: list[Row], tmp_path: Path) -> None:
    result = RUNNER.invoke(corpus_commands, ["stats", "--picture", str(tmp_path / "deep" / "mix.svg")])
    assert result.exit_code == 0
    assert "漏水渗水" in result.stdout
    assert "Cohen" in result.stdout
    assert corpus_hash()[:16] in result.stdout
    assert f"自写 {len(corpus)} 条" in result.stdout
    assert "漏水渗水" in (tmp_path / "deep" / "mix.svg").read_text(encoding="utf-8")


def test_build_writes_what_training_learns_from_and_prints_its_hash(corpus: list[Row], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "train.jsonl"
    result = RUNNER.invoke(corpus_commands, ["build", str(out)])
    assert result.stdout.strip() == corpus_hash()
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [row.id for row in corpus]
    assert set(rows[0]) == {"id", "title", "text", *TASKS}
    assert list(out.parent.iterdir()) == [out]
