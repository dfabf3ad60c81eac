"""The default model is current only while corpus, taxonomy and dictionary are those it was trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import corpora.default
from corpora.default import default_folder, is_current
from corpora.petitions import corpus_hash


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A manifest that says that its model was trained on this corpus."""
    manifest = json.loads((model_folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["card"]["hash"] = corpus_hash()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def change(folder: Path, **fields: object) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | fields), encoding="utf-8")


def test_the_default_model_is_the_one_under_home_else_the_one_in_the_tree(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home" / "models" / "default"
    monkeypatch.setattr(corpora.default, "SHIPPED", folder)
    assert default_folder(tmp_path / "home") == folder
    own.mkdir(parents=True)
    (own / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    assert default_folder(tmp_path / "home") == own


def test_without_a_current_one_it_will_stand_under_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora.default, "SHIPPED", tmp_path / "nowhere")
    assert default_folder(Path("var")) == Path("var/models/default")


def test_a_model_of_this_corpus_is_current(folder: Path) -> None:
    assert is_current(folder)


def test_a_model_of_other_petitions_is_not_current(model_folder: Path) -> None:
    assert not is_current(model_folder)


@pytest.mark.parametrize(
    "fields",
    [{"card": {}}, {"taxonomy": "0" * 64}, {"dictionary": "0" * 64}, {"format": 0}, {"format": 1}, {"files": {}}],
)
def test_a_model_that_differs_is_not_current(folder: Path, fields: dict[str, object]) -> None:
    change(folder, **fields)
    assert not is_current(folder)


def test_a_changed_corpus_makes_the_model_old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora.default, "corpus_hash", lambda: "0" * 64)
    assert not is_current(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_a_manifest_that_is_none_is_not_current(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    assert not is_current(tmp_path)


def test_an_empty_folder_is_not_current(tmp_path: Path) -> None:
    assert not is_current(tmp_path)
    assert not is_current(tmp_path / "nowhere")


@pytest.mark.parametrize("field", ["card", "taxonomy"])
def test_a_manifest_that_lacks_a_field_is_not_current(folder: Path, field: str) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest[field]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert not is_current(folder)
