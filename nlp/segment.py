"""Segment: Chinese words by jieba's method, fast (rjieba) or by the reference (jieba)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import rjieba

from nlp.files import DATA, read_lines

LEXICON = DATA / "lexicon.txt"


class Segmenter(Protocol):
    """Cuts a text into words whose concatenation is the text."""

    name: str
    version: str

    def cut(self, text: str) -> list[str]:
        """The words of `text`, blanks and marks included."""


def lexicon_hash(path: Path = LEXICON) -> str:
    """SHA-256 of the domain dictionary, which a model pins."""
    return hashlib.sha256("\n".join(read_lines(path)).encode()).hexdigest()


class FastSegmenter:
    """The Rust jieba. Never add a word to it while another thread cuts: build a new one and swap."""

    name = "rjieba"

    def __init__(self, words: Sequence[str]) -> None:
        self.version = version("rjieba")
        self._jieba = rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, None, None)
        self.cut = self._jieba.cut  # one call less in the hottest loop


class ReferenceSegmenter:
    """The original jieba, twenty times slower: what the fast one is compared with."""

    name = "jieba"

    def __init__(self, words: Sequence[str]) -> None:
        import jieba  # noqa: PLC0415 - the service never needs it

        jieba.setLogLevel(logging.WARNING)
        self.version = version("jieba")
        self._jieba = jieba.Tokenizer()
        for word in words:
            self._jieba.add_word(word)

    def cut(self, text: str) -> list[str]:
        """The words of `text`, as `Segmenter` says."""
        return list(self._jieba.cut(text))


SEGMENTERS: dict[str, type[FastSegmenter] | type[ReferenceSegmenter]] = {
    "rjieba": FastSegmenter,
    "jieba": ReferenceSegmenter,
}


def open_segmenter(name: str = "rjieba", path: Path = LEXICON) -> Segmenter:
    """A new segmenter of its own, with the domain dictionary at `path`."""
    return SEGMENTERS[name](read_lines(path))
