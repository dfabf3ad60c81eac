"""Model files: a folder with a manifest, tensors (safetensors) and plain lists; never pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from nlp.encoder import Encoder, EncoderSettings, is_served
from nlp.errors import RefusedData, RefusedModel
from nlp.features import FeatureSettings
from nlp.heads import LENDER, Heads
from nlp.segment import SEGMENTERS, lexicon_hash
from nlp.taxonomy import Taxonomy
from nlp.thresholds import Thresholds
from nlp.vocabulary import Vocabulary

FORMAT = 3  # 1 had no lifts, 2 had neither encoder nor vectors and weights of 32 bits; both are read as before
MANIFEST = "manifest.json"
LIFT = "lift."  # before the task, the name of a tensor
FILES = ("tensors.safetensors", "words.txt", "grams.txt", "taxonomy.json")
VECTORS = "vectors.safetensors"
ENCODER = "encoder"
EXTRAS = (f"{ENCODER}/*", VECTORS)  # what a model may have besides


@dataclass(frozen=True)
class Model:
    """Everything that training learned, and the settings that serving must repeat.

    idf: (features,) float32. card: the data it was trained on. scores: what it was measured at.
    encoder: asked where more accuracy is wanted. vectors: the file of static vectors, for fits that begin with it.
    """

    taxonomy: Taxonomy
    features: FeatureSettings
    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    heads: Heads
    thresholds: Thresholds
    card: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    encoder: Encoder | None = None
    vectors: Path | None = None

    @property
    def tasks(self) -> list[str]:
        """The tasks that the model answers."""
        return [task for task in self.heads.widths if task != LENDER]

    def save(self, folder: Path, label: str = "model") -> Model:
        """Write the model, whole or not at all, and return it with its name.

        An older model of the same place gives way; any other content is left alone (`RefusedModel`).
        """
        check_place(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            self._write_files(draft)
            manifest = self._manifest(draft, label)
            manifest["seal"] = sealed(manifest)
            (draft / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            for path in (draft, *draft.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)  # a service account must be able to read it
            _swap(draft, folder)
        except (OSError, SafetensorError) as error:
            raise RefusedModel(folder=folder, reason=f"写不下（磁盘满，或者不可写）：{error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return load(folder)

    def _write_files(self, folder: Path) -> None:
        lifts = {LIFT + task: lift for task, lift in self.heads.lifts.items()}
        weights = self.heads.weights.astype(np.float16)
        tensors: dict[str, NDArray[Any]] = {"weights": weights, "bias": self.heads.bias, "idf": self.idf, **lifts}
        save_file(tensors, folder / FILES[0])
        (folder / "words.txt").write_text("\n".join(self.vocabulary.words), encoding="utf-8")
        (folder / "grams.txt").write_text("\n".join(self.vocabulary.grams), encoding="utf-8")
        (folder / "taxonomy.json").write_text(json.dumps(self.taxonomy.as_dict(), ensure_ascii=False), encoding="utf-8")
        if self.encoder:
            shutil.copytree(self.encoder.folder, folder / ENCODER)
        if self.vectors:
            shutil.copyfile(self.vectors, folder / VECTORS)

    def _manifest(self, folder: Path, label: str) -> dict[str, Any]:
        extras = sorted(path.relative_to(folder).as_posix() for kind in EXTRAS for path in folder.glob(kind))
        files = {name: _sha256(folder / name) for name in (*FILES, *extras)}
        digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        return {
            "format": FORMAT,
            "name": f"{label}-{digest[:8]}",
            "taxonomy": self.taxonomy.hash,
            "dictionary": lexicon_hash(),
            "features": asdict(self.features),
            "widths": dict(self.heads.widths),
            "lent": list(self.heads.lent),
            "temperatures": dict(self.heads.temperatures),
            "thresholds": asdict(self.thresholds),
            "card": dict(self.card),
            "scores": dict(self.scores),
            "files": files,
        } | ({"encoder": asdict(self.encoder.settings)} if self.encoder else {})


def check_place(folder: Path) -> None:
    """Raise `RefusedModel` where a model must not be written: other files would be lost."""
    if folder.exists() and (not folder.is_dir() or (not (folder / MANIFEST).is_file() and any(folder.iterdir()))):
        raise RefusedModel(folder=folder, reason="这里已有别的文件，不会覆盖；请换一个文件夹")


def sealed(manifest: dict[str, Any]) -> str:
    """SHA-256 of a manifest without its own seal."""
    open_part = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(open_part, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _swap(draft: Path, folder: Path) -> None:
    """Put `draft` in the place of `folder`; if that fails, the older one is there again."""
    old = draft.with_name(draft.name + "-old")
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(draft, folder)
    except OSError:
        os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path) -> Model:
    """Read a model; raises `RefusedModel` when a file was changed, is missing, or does not fit."""
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file():
            raise RefusedModel(folder=folder, reason=f"缺少文件 {name}")
        if _sha256(folder / name) != digest:
            raise RefusedModel(folder=folder, reason=f"文件 {name} 与清单中的 SHA-256 不符")
    try:
        model = _built(folder, manifest)
    except (AttributeError, KeyError, TypeError, ValueError, RefusedData, SafetensorError) as error:
        raise RefusedModel(folder=folder, reason=f"内容不完整或不一致（{error}）") from error
    if manifest.get("seal") != sealed(manifest):
        raise RefusedModel(folder=folder, reason=f"{MANIFEST} 被改动过（与它的 seal 不符）")
    return model


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model in a format and with a dictionary that this program knows."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known, files = manifest["format"], set(dict(manifest["files"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedModel(folder=folder, reason=f"没有可读的 {MANIFEST}（{error}）") from error
    if known not in range(1, FORMAT + 1):
        raise RefusedModel(folder=folder, reason=f"格式版本 {known}，本程序只认 1 到 {FORMAT}")
    if not set(FILES) <= files or any(not _is_extra(name) for name in files - set(FILES)):
        raise RefusedModel(folder=folder, reason=f"清单列出的文件应为 {'、'.join(FILES)}，至多再加编码器和向量")
    if manifest.get("dictionary") != lexicon_hash():
        raise RefusedModel(folder=folder, reason="训练时的领域词典与现在的不同，请重新训练")
    return dict(manifest)


def _is_extra(name: str) -> bool:
    """Whether it is the name of a file that a model may have; no path leads out of its folder."""
    path = PurePosixPath(name)
    return name == VECTORS or (path.parent == PurePosixPath(ENCODER) and path.name != "..")


def _built(folder: Path, manifest: dict[str, Any]) -> Model:
    tensors = load_file(folder / FILES[0])
    taxonomy = Taxonomy.from_dict(json.loads((folder / "taxonomy.json").read_text(encoding="utf-8")), folder)
    if taxonomy.hash != manifest["taxonomy"]:
        raise ValueError("分类体系与清单不符")
    vocabulary = Vocabulary(_lines(folder / "words.txt"), _lines(folder / "grams.txt"))
    lifts = {name.removeprefix(LIFT): tensor for name, tensor in tensors.items() if name.startswith(LIFT)}
    weights = tensors["weights"].astype(np.float32)
    lent = tuple(manifest.get("lent", ()))
    heads = Heads(weights, tensors["bias"], manifest["widths"], manifest["temperatures"], lifts, lent)
    if heads.weights.shape != (len(vocabulary), len(heads.bias)) or len(tensors["idf"]) != len(vocabulary):
        raise ValueError("张量的形状与词表不符")
    if any(width != len(taxonomy.labels(task)) for task, width in heads.widths.items() if task != LENDER):
        raise ValueError("各任务的标签数与分类体系不符")
    bases = {task: LENDER if task in lent else "category" for task in lifts}
    if any(lift.shape != (heads.widths[bases[task]], heads.widths[task]) for task, lift in lifts.items()):
        raise ValueError("提升表的形状与标签数不符")
    if manifest["features"]["segmenter"] not in SEGMENTERS:
        raise ValueError("没有这个分词器")
    settings = manifest["features"] | {"grams": tuple(manifest["features"]["grams"])}
    return Model(
        taxonomy, FeatureSettings(**settings), vocabulary, tensors["idf"], heads,
        Thresholds(**manifest["thresholds"]), manifest["card"], manifest["scores"], manifest["name"],
        _encoder(folder, manifest),
        folder / VECTORS if VECTORS in manifest["files"] else None,
    )  # fmt: skip


def _encoder(folder: Path, manifest: dict[str, Any]) -> Encoder | None:
    """The encoder of a model that has one, where it can be served."""
    if "encoder" not in manifest or not is_served():
        return None
    return Encoder(folder / ENCODER, EncoderSettings(**manifest["encoder"]))


def _lines(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8")
    return tuple(text.split("\n")) if text else ()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
