"""A desk for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.default import default_folder
from nlp.decider import Decider
from serving.backlog import batch, workers
from serving.backlog.workers import decider_at
from serving.settings import Settings
from tests.serving.backlog.desk import Desk


@pytest.fixture(scope="session")
def ready(equipped: Path) -> Decider:
    return decider_at(default_folder(equipped), None)


@pytest.fixture
def desk(equipped: Path, ready: Decider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Its model is opened once for all tests; processes of their own open theirs."""
    for module in (batch, workers):
        monkeypatch.setattr(module, "decider_at", lambda _model, _rules: ready)
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(Settings(home=equipped, secret="s" * 32), folder)
