"""The encoder: reads whole sentences where the linear model sees words; served by onnxruntime, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from nlp.heads import Matrix, Probabilities
from nlp.text import Texts

TOKENIZER, HEADS, NETWORK = "tokenizer.json", "heads.safetensors", "network.onnx"
PART = 15_000_000  # bytes: no file of a model is larger
CHARACTERS = 4  # a token is hardly ever longer: what lies beyond is cut off before it is tokenized


@dataclass(frozen=True)
class EncoderSettings:
    """How texts are read; pinned by the model's manifest.

    tokens: how many are read of each. asked: the encoder is asked where the linear model's first category is less
    probable than this. mix: task → how much the linear model's and the encoder's logarithms weigh.
    """

    prefix: str
    tokens: int
    widths: Mapping[str, int]
    asked: float
    mix: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Encoder:
    """A folder with the tokenizer, the network in parts, and the heads; opened when it is first asked."""

    folder: Path
    settings: EncoderSettings

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415 — `fast` never waits for it

        tokenizer = Tokenizer.from_file(str(self.folder / TOKENIZER))
        tokenizer.enable_truncation(self.settings.tokens)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # noqa: PLC0415 — `fast` never waits for it

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1  # petitions run side by side instead
        return onnxruntime.InferenceSession(whole(self.folder), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count() or 1, "encoder")

    @cached_property
    def _heads(self) -> dict[str, NDArray[np.float32]]:
        return load_file(self.folder / HEADS)

    def lines(self, texts: Texts, rows: Sequence[int]) -> list[str]:
        """Title and text of some petitions as one line each, the way the encoder was trained."""
        return lines(self.settings.prefix, self.settings.tokens, texts, rows)

    def embed(self, lines: Sequence[str]) -> NDArray[np.float32]:
        """(lines, width): each line runs by itself, without padding, so that it embeds the same alone and in a batch.

        The network takes the scales of its integers from the line that it reads; several lines at once would share
        them, and a batch is no faster here: nothing is padded, and each core has a line of its own.
        """
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(lines))]
        width = self._heads["weights"].shape[0]
        embedded = np.empty((len(ids), width), np.float32)
        for row, vector in enumerate(self._pool.map(self._alone, ids)):
            embedded[row] = vector
        return embedded

    def _alone(self, pieces: Sequence[int]) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._session.run(None, {"input_ids": np.array([pieces], np.int64)})[0][0]
        return vector

    def probabilities(self, texts: Texts, rows: Sequence[int]) -> Probabilities:
        """Task → (rows, labels) of some petitions of a batch."""
        embedded = self.embed(self.lines(texts, rows))[:, None]  # row by row: for many BLAS adds up in another order
        scores = (embedded @ self._heads["weights"])[:, 0] + self._heads["bias"]
        starts = np.cumsum(list(self.settings.widths.values()))[:-1]
        parts = np.split(scores.astype(np.float64), starts, axis=1)
        return {task: softmax(part) for task, part in zip(self.settings.widths, parts, strict=True)}

    def mixed(self, linear: Probabilities, texts: Texts) -> tuple[Probabilities, NDArray[np.bool_]]:
        """The linear model's answers, those of which it is not sure mixed with the encoder's; which ones were asked."""
        asked = linear["category"].max(axis=1) < self.settings.asked
        rows = np.flatnonzero(asked).tolist()
        if not rows:
            return linear, asked
        own = self.probabilities(texts, rows)
        result = {task: answers.copy() for task, answers in linear.items()}
        for task, answers in own.items():
            result[task][rows] = mixture(linear[task][rows], answers, self.settings.mix[task])
        return result, asked


def is_served() -> bool:
    """Whether what an encoder needs is installed: the smallest installation of the service does without."""
    return all(find_spec(name) for name in ("onnxruntime", "tokenizers"))


def line(prefix: str, title: str, text: str, most: int) -> str:
    """One petition as the encoder reads it; of a long text only the first `most` characters."""
    return f"{prefix}{title} {text[:most]}" if title else f"{prefix}{text[:most]}"


def lines(prefix: str, tokens: int, texts: Texts, rows: Sequence[int]) -> list[str]:
    """The lines of some petitions, none much longer than the encoder reads."""
    strings, most = texts.strings, CHARACTERS * tokens
    return [line(prefix, strings[2 * row], strings[2 * row + 1], most) for row in rows]


def whole(folder: Path) -> bytes:
    """The network, its parts joined in order."""
    parts = sorted(folder.glob(f"{NETWORK}.*"), key=lambda path: int(path.suffix[1:]))  # 10 comes after 9
    return b"".join(path.read_bytes() for path in parts)


def parted(network: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the parts in which a network is kept."""
    for number, start in enumerate(range(0, len(network), PART)):
        yield f"{NETWORK}.{number}", network[start : start + PART]


def softmax(scores: Matrix) -> Matrix:
    """(n, labels) scores → probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return shares


def mixture(one: Matrix, other: Matrix, weights: Sequence[float]) -> Matrix:
    """p^a · q^b, scaled to sum to one: the logarithmic opinion pool (Genest & Zidek 1986)."""
    powers = np.log(np.maximum(one, 1e-12)) * weights[0] + np.log(np.maximum(other, 1e-12)) * weights[1]
    return softmax(powers)
