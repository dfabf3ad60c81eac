"""Excerpts: the beginning of a petition, personal data masked, fit to stand in a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nlp.reader import Reader
from training.dataset import Dataset

LONGEST = 60  # characters of masked text


@dataclass(frozen=True)
class Excerpt:
    """Where a petition stands in its source, counted from 1, and how it begins."""

    line: int
    text: str


def line_of(dataset: Dataset, row: int) -> int:
    """Where a row stands in its source, counted from 1."""
    return int(dataset.lines[row]) if dataset.lines else row + 1


def excerpts(dataset: Dataset, rows: Iterable[int]) -> dict[int, Excerpt]:
    """Row → its excerpt. The whole text is masked before it is cut, so that no half of a number is left."""
    chosen = sorted(set(rows))
    if not chosen:
        return {}
    reading = Reader().fields(dataset.part(chosen).fields)
    texts = (f"{reading.masked(2 * place)} {reading.masked(2 * place + 1)}" for place in range(len(chosen)))
    return {row: Excerpt(line_of(dataset, row), shortened(text)) for row, text in zip(chosen, texts, strict=True)}


def shortened(text: str) -> str:
    """At most `LONGEST` characters on one line; signs that cannot be seen (and turn text around) become spaces."""
    seen = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 10 * LONGEST]).split())
    return seen if len(seen) <= LONGEST else seen[: LONGEST - 1] + "…"
