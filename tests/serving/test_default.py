"""Which model is served: the one that was set, else the promoted one, else the default."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import serving.default
from corpora.default import default_folder
from nlp.errors import RefusedModel
from nlp.model import Model
from nlp.registry import CURRENT, DEFAULT, Standing, models_folder
from serving.default import open_model
from serving.settings import Settings


@pytest.fixture
def home(tmp_path: Path, model: Model, model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a default model, which counts as current, and two versions."""
    shutil.copytree(model_folder, default_folder(tmp_path))
    for name in ("promoted", "named"):
        replace(model, card={"data": name}).save(models_folder(tmp_path) / name, name)
    monkeypatch.setattr(serving.default, "is_current", lambda folder: folder.is_dir())
    return tmp_path


def point(home: Path, text: str) -> None:
    (models_folder(home) / CURRENT).write_text(text, encoding="utf-8")


def opened(home: Path, **more: Path) -> str:
    return open_model(Settings(home=home, **more)).name.partition("-")[0]  # type: ignore[arg-type]


def test_what_was_set_comes_before_what_was_promoted_before_the_default(home: Path) -> None:
    assert opened(home) == "small"
    point(home, json.dumps(Standing("promoted").as_dict()))
    assert opened(home) == "promoted"
    named = models_folder(home) / "named"
    assert opened(home, model=named) == "named"
    settings = Settings(home=home, model=models_folder(home) / "promoted")
    assert open_model(settings, named).name.startswith("named-")
    point(home, json.dumps(Standing(DEFAULT).as_dict()))
    assert opened(home) == "small"


def test_a_registry_that_cannot_be_read_is_refused_unless_a_model_is_set(home: Path) -> None:
    point(home, "{")
    with pytest.raises(RefusedModel, match=CURRENT):
        opened(home)
    assert opened(home, model=models_folder(home) / "named") == "named"
