"""Model files: what was saved is what is read, and anything else is refused by name."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from corpora.petitions import Row
from nlp.decider import Decider, Options
from nlp.encoder import Encoder, EncoderSettings
from nlp.errors import RefusedModel
from nlp.model import FILES, FORMAT, LIFT, MANIFEST, Model, _sha256, load, read_manifest
from nlp.model import sealed as seal_of
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.taxonomy import TASKS
from training.dataset import Dataset

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model whose files a test may change."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def amend(folder: Path, change: Change) -> None:
    """Change the manifest."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def sealed(folder: Path) -> None:
    """Write the true SHA-256 of every file into the manifest."""
    amend(folder, lambda manifest: manifest["files"].update({name: _sha256(folder / name) for name in FILES}))


def test_a_model_decides_the_same_after_saving_and_loading(model: Model, petitions: list[Row], tmp_path: Path) -> None:
    again = model.save(tmp_path / "deep" / "copy", "small")
    options = Options(now=datetime(2026, 1, 1, tzinfo=UTC))
    rows = [Petition(row.id, row.text, row.title) for row in petitions[:100]]
    one, other = (Decider(each).decide(rows, options) for each in (model, again))
    for decision in (*one, *other):
        decision.decision_id = ""
    assert one == other
    assert again.name == model.name
    assert again.tasks == list(TASKS)


def test_loading_gives_back_every_part(model: Model, tmp_path: Path) -> None:
    again = load(model.save(tmp_path / "copy", "small") and tmp_path / "copy")
    assert (again.taxonomy, again.features, again.vocabulary) == (model.taxonomy, model.features, model.vocabulary)
    assert (again.thresholds, again.card, again.scores) == (model.thresholds, model.card, model.scores)
    assert again.idf.tobytes() == model.idf.tobytes()
    assert again.heads.weights.tobytes() == model.heads.weights.tobytes()


def test_two_saves_are_the_same_bytes(model: Model, tmp_path: Path) -> None:
    for name in ("one", "other"):
        model.save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted([*FILES, MANIFEST])
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in files)


def test_saving_over_a_model_leaves_that_model_alone_in_its_place(model: Model, folder: Path) -> None:
    (folder / "left over.txt").write_text("x", encoding="utf-8")
    model.save(folder, "again")
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, MANIFEST])
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert load(folder).name.startswith("again-")


def test_no_file_of_a_model_is_a_pickle(model_folder: Path) -> None:
    for path in model_folder.iterdir():
        start = path.read_bytes()[:2]
        assert start[0] != 0x80  # every pickle since protocol 2 begins so
        assert start != b"PK"  # nor a zip, as torch and numpy pack pickles
        if path.suffix != ".safetensors":
            assert path.read_text(encoding="utf-8")
    assert set(load_file(model_folder / "tensors.safetensors")) == {
        "weights", "bias", "idf", "lift.tier", "lift.clock", "lift.type"
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0, 0.5, -1])
def test_a_changed_byte_is_refused_by_the_name_of_its_file(folder: Path, name: str, place: float) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1 if place < 0 else int(place * len(content))] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(RefusedModel, match=f"{name}.*SHA-256"):
        load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_its_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(RefusedModel, match=f"缺少文件 {name}"):
        load(folder)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", "{", "null", "\x00", '{"format": 1}'])
def test_a_manifest_that_cannot_be_read_is_refused(folder: Path, content: str | None) -> None:
    (folder / MANIFEST).unlink()
    if content is not None:
        (folder / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(RefusedModel, match=r"manifest\.json"):
        load(folder)


@pytest.mark.parametrize("number", [1, 2])
def test_a_model_of_an_older_format_still_answers(model: Model, folder: Path, number: int) -> None:
    """Both had weights of 32 bits, the first no lifts."""
    tensors = load_file(folder / FILES[0])
    tensors["weights"] = tensors["weights"].astype(np.float32)
    save_file({name: tensor for name, tensor in tensors.items() if number > 1 or LIFT not in name}, folder / FILES[0])
    sealed(folder)
    amend(folder, lambda manifest: manifest["thresholds"].pop("asked"))
    amend(folder, lambda manifest: manifest.update(format=number))
    amend(folder, lambda manifest: manifest.update(seal=seal_of(manifest)))
    old = load(folder)
    assert set(old.heads.lifts) == (set() if number == 1 else set(TASKS[1:]))
    assert (old.encoder, old.vectors, old.thresholds) == (None, None, model.thresholds)
    decision, same = (
        Decider(each).decide([Petition("1", "楼上漏水")], Options(now=datetime(2026, 1, 1, tzinfo=UTC)))[0]
        for each in (old, model)
    )
    assert decision.category.code == same.category.code


def test_weights_of_half_the_bits_give_the_same_probabilities(dataset: Dataset, model: Model, tmp_path: Path) -> None:
    """Weights of 32 bits, as a fit gives them, against those that are kept."""
    spread = np.random.default_rng(1).normal(1, 1e-3, model.heads.weights.shape)
    heads = replace(model.heads, weights=(model.heads.weights * spread).astype(np.float32))
    full = replace(model, heads=heads)
    kept = full.save(tmp_path / "kept")
    assert load_file(tmp_path / "kept" / FILES[0])["weights"].dtype == np.float16
    assert kept.heads.weights.dtype == np.float32
    assert kept.heads.weights.tobytes() != full.heads.weights.tobytes()
    reading = Reader().fields(dataset.fields)
    one, other = (Decider(each).answers(reading).marginals for each in (full, kept))
    for task in TASKS:
        assert np.abs(one[task] - other[task]).max() < 2e-3


@pytest.fixture
def extended(model: Model, tmp_path: Path) -> Model:
    """A model with the files of an encoder (nobody asks it) and of vectors."""
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "network.onnx.0").write_bytes(b"network")
    (parts / "tokenizer.json").write_bytes(b"{}")
    (tmp_path / "vectors.safetensors").write_bytes(b"vectors")
    settings = EncoderSettings("", 128, {"category": 3}, 0.8, {"category": (0.5, 0.5)})
    return replace(model, encoder=Encoder(parts, settings), vectors=tmp_path / "vectors.safetensors")


def test_an_encoder_and_vectors_are_saved_with_the_model(extended: Model, tmp_path: Path) -> None:
    again = extended.save(tmp_path / "with")
    assert extended.encoder
    assert again.encoder
    assert again.encoder.settings.widths == extended.encoder.settings.widths
    assert (again.encoder.settings.asked, again.encoder.settings.tokens) == (0.8, 128)
    assert again.encoder.folder == tmp_path / "with" / "encoder"
    assert (again.encoder.folder / "network.onnx.0").read_bytes() == b"network"
    assert again.vectors
    assert again.vectors.read_bytes() == b"vectors"
    assert again.save(tmp_path / "twice").name == again.name


@pytest.mark.parametrize("name", ["encoder/network.onnx.0", "encoder/tokenizer.json", "vectors.safetensors"])
def test_a_changed_or_missing_part_of_an_encoder_is_refused(extended: Model, tmp_path: Path, name: str) -> None:
    extended.save(tmp_path / "with")
    (tmp_path / "with" / name).write_bytes(b"other")
    with pytest.raises(RefusedModel, match=f"{name}.*SHA-256"):
        load(tmp_path / "with")
    (tmp_path / "with" / name).unlink()
    with pytest.raises(RefusedModel, match=f"缺少文件 {name}"):
        load(tmp_path / "with")


@pytest.mark.parametrize(
    "name",
    [
        "../other.txt", "encoder/../../o", "encoder/../other.txt", "/etc/hostname", "encoder/deep/file", "other",
        "vectors.safetensors/..", "../vectors.safetensors", "/vectors.safetensors", "a/vectors.safetensors",
        "/encoder/hosts", "..", "encoder/..", "../encoder/network.onnx.0", "/data/encoder/x", "",
    ],
)  # fmt: skip
def test_no_file_of_a_manifest_lies_outside_its_folder(folder: Path, name: str) -> None:
    """Refused before a byte of the file is read: a true hash does not help it."""
    (folder / "encoder").mkdir()
    for place in (folder / "other", folder.parent / "other.txt", folder.parent / "vectors.safetensors"):
        place.write_bytes(b"")
    amend(folder, lambda manifest: manifest["files"].update({name: hashlib.sha256(b"").hexdigest()}))
    amend(folder, lambda manifest: manifest.update(seal=seal_of(manifest)))
    with pytest.raises(RefusedModel, match="清单列出的文件"):
        load(folder)


def test_a_lift_of_another_shape_is_refused(folder: Path) -> None:
    tensors = load_file(folder / FILES[0])
    save_file(tensors | {"lift.tier": tensors["lift.clock"]}, folder / FILES[0])
    sealed(folder)
    with pytest.raises(RefusedModel, match="提升表"):
        load(folder)


@pytest.mark.parametrize("value", [0, FORMAT + 1, "1", None])
def test_an_unknown_format_is_refused(folder: Path, value: object) -> None:
    amend(folder, lambda manifest: manifest.update(format=value))
    with pytest.raises(RefusedModel, match="格式版本"):
        load(folder)


def test_another_taxonomy_is_refused(folder: Path) -> None:
    amend(folder, lambda manifest: manifest.update(taxonomy="0" * 64))
    with pytest.raises(RefusedModel, match="分类体系"):
        load(folder)


def test_a_taxonomy_that_does_not_fit_its_hash_is_refused(folder: Path) -> None:
    path = folder / "taxonomy.json"
    path.write_text(path.read_text(encoding="utf-8").replace("漏水渗水", "漏水"), encoding="utf-8")
    sealed(folder)
    with pytest.raises(RefusedModel, match="分类体系"):
        load(folder)


def test_another_dictionary_is_refused(folder: Path) -> None:
    amend(folder, lambda manifest: manifest.update(dictionary="0" * 64))
    with pytest.raises(RefusedModel, match="词典"):
        load(folder)
    with pytest.raises(RefusedModel, match="词典"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["files"].pop("words.txt"),
        lambda manifest: manifest["files"].update({"../other.txt": "0"}),
        lambda manifest: manifest.update(files=list(manifest["files"])),
        lambda manifest: manifest.update(files=3),
        lambda manifest: manifest.update(widths=[52, 5, 4, 7]),
        lambda manifest: manifest.update(widths=manifest["widths"] | {"tier": 4, "clock": 5}),
        lambda manifest: manifest.update(temperatures={}),
        lambda manifest: manifest.update(temperatures=[1, 1, 1, 1]),
        lambda manifest: manifest.update(thresholds={"confidence": 0.5}),
        lambda manifest: manifest.update(features={}),
        lambda manifest: manifest.update(features=manifest["features"] | {"segmenter": "other"}),
        lambda manifest: manifest.update(features=manifest["features"] | {"colour": "red"}),
        lambda manifest: manifest.pop("thresholds"),
        lambda manifest: manifest.pop("name"),
        lambda manifest: manifest["thresholds"].update(confidence=0.0001),
        lambda manifest: manifest["temperatures"].update(category=9.0),
    ],
    ids=[
        "file-left-out",
        "file-elsewhere",
        "files-list",
        "files-number",
        "widths-list",
        "widths-wrong",
        "temperatures-none",
        "temperatures-list",
        "thresholds-short",
        "features-none",
        "segmenter-unknown",
        "features-more",
        "no-thresholds",
        "no-name",
        "threshold-changed",
        "temperature-changed",
    ],
)
def test_a_manifest_that_was_changed_is_refused(folder: Path, change: Change) -> None:
    amend(folder, change)
    with pytest.raises(RefusedModel):
        load(folder)


@pytest.mark.parametrize("broken", ["weights", "bias", "idf", "none"])
def test_tensors_that_do_not_fit_are_refused(folder: Path, broken: str) -> None:
    tensors = load_file(folder / FILES[0])
    smaller = {name: np.ascontiguousarray(array[:-1] if name == broken else array) for name, array in tensors.items()}
    save_file(smaller if broken != "none" else {"weights": tensors["weights"]}, folder / FILES[0])
    sealed(folder)
    with pytest.raises(RefusedModel):
        load(folder)


def test_a_file_that_holds_no_tensors_is_refused(folder: Path) -> None:
    (folder / FILES[0]).write_bytes(b"\x80\x04N.")
    sealed(folder)
    with pytest.raises(RefusedModel):
        load(folder)


def test_an_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(RefusedModel, match="nowhere"):
        load(tmp_path / "nowhere")
