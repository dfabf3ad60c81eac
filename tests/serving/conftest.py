"""What the tests of serving share: a service in process, and the command line in process."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from fastapi.testclient import TestClient

import jiesu
from nlp.decider import Decider
from serving.app import create_app
from serving.settings import Settings

NOW = "2026-11-23T09:12:03+08:00"
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="session")
def client(decider: Decider) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(insecure=True, max_body=4 * 1024 * 1024), decider)) as service:
        yield service


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """`jiesu …` in this process, with a home of its own."""
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def called(*arguments: object, stdin: bytes = b"") -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["jiesu", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            jiesu.main()
        out, err = capfdbinary.readouterr()
        return CompletedProcess(sys.argv, int(ended.value.code or 0), out.decode(), err.decode())

    return called


@pytest.fixture
def decide(run: Run, model_folder: Path) -> Run:
    """`jiesu decide …` with the small model, at a fixed time."""

    def called(*arguments: object, stdin: bytes = b"") -> CompletedProcess[str]:
        return run("decide", *arguments, "--model", model_folder, "--now", NOW, stdin=stdin)

    return called


@pytest.fixture
def lines() -> Callable[[list[dict[str, Any]]], bytes]:
    """Petitions as JSONL."""

    def written(petitions: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(petition, ensure_ascii=False).encode() + b"\n" for petition in petitions)

    return written
