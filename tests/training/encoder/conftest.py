"""A tiny encoder as the wheel packs it, written here from the description of its format."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.encoder.packed import Packed

WIDTH, INNER, LAYERS, HEADS, POSITIONS, EPS = 32, 64, 2, 4, 8, 1e-12
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "路", "灯", "路灯", "ไฟ", "坏了", ",", "LED", "lights", "▁query", ":"]
SCORES = [0, 0, 0, 0, -3, -4, -4.5, -5, -6, -5.5, -2, -7, -8, -9, -2.5]
LINEAR = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH), "fi": (INNER, WIDTH),
          "fo": (WIDTH, INNER)}  # fmt: skip
Tensor = NDArray[np.float32]


def four_bits(random: np.random.Generator, shape: tuple[int, int]) -> tuple[bytes, Tensor]:
    """Random weights in blocks of 32: the bytes, and the weights that they stand for, one after the other."""
    content, weights = b"", []
    for _ in range(shape[0] * shape[1] // 32):
        levels = random.integers(0, 16, 32).tolist()
        scale = np.float16(random.uniform(0.01, 0.1))
        content += scale.tobytes() + bytes(levels[j] + 16 * levels[j + 16] for j in range(16))
        weights += [(level - 8) * float(scale) for level in levels]
    return content, np.array(weights, np.float32).reshape(shape)


def plain(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[bytes, Tensor]:
    weights = random.normal(0, 1, shape).astype("<f4")
    return weights.tobytes(), weights


def made() -> dict[str, tuple[int, bytes, Tensor]]:
    """Name → its type in the file, its bytes, its weights."""
    random = np.random.default_rng(5)
    found = {"emb.word": (1, *four_bits(random, (len(PIECES), WIDTH)))}
    shapes: dict[str, tuple[int, ...]] = {"emb.pos": (POSITIONS, WIDTH), "emb.type": (2 * WIDTH,)}
    shapes |= {"emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}
    for layer in range(LAYERS):
        for name, shape in LINEAR.items():
            found[f"l{layer}.{name}.w"] = (1, *four_bits(random, shape))
            shapes[f"l{layer}.{name}.b"] = shape[:1]
        shapes |= {f"l{layer}.{name}.{part}": (WIDTH,) for name in ("aln", "oln") for part in "wb"}
    return found | {name: (0, *plain(random, shape)) for name, shape in shapes.items()}


def written(tensors: dict[str, tuple[int, bytes, Tensor]], block: int = 32) -> bytes:
    """Head, pieces, a map that nobody reads, the directory, and then the weights, from a multiple of 16 on."""
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    words = b"".join(texts)
    sizes = (WIDTH, LAYERS, HEADS, INNER, 512, POSITIONS, 2)
    head = struct.pack("<4sI7ifi5iQ", b"E5S1", 1, *sizes, EPS, block, len(PIECES), 0, 1, 2, 3, len(words))
    before = head + ends.tobytes() + np.array(SCORES, "<f4").tobytes() + words + struct.pack("<iI", 1, 6) + b"unread"
    entries = 4 + sum(2 + len(name) + 21 for name in tensors)
    offset = -(-(len(before) + entries) // 16) * 16
    directory, blob = struct.pack("<i", len(tensors)), b""
    for name, (kind, content, weights) in tensors.items():
        size = struct.pack("<BIQQ", kind, weights.size, offset + len(blob), len(content))
        directory += struct.pack("<H", len(name)) + name.encode() + size
        blob += content
    return (before + directory).ljust(offset, b"\0") + blob


@pytest.fixture(scope="session")
def known() -> Packed:
    """What the tiny file should be read as."""
    tensors = {name: weights for name, (_, _, weights) in made().items()}
    return Packed(WIDTH, LAYERS, HEADS, INNER, POSITIONS, EPS, PIECES, np.array(SCORES, np.float32), tensors)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "tiny.bin"
    path.write_bytes(written(made()))
    return path


@pytest.fixture(scope="session")
def other_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but its head says 64 weights a block."""
    path = tmp_path_factory.mktemp("packed") / "blocks.bin"
    path.write_bytes(written(made(), block=64))
    return path
