"""Guesses: which column holds texts, and which labels, by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MOST = 1000  # labels that a column may have
LONGEST = 40  # characters of a label; a longer one is a text
SHORTEST = 6  # mean characters of the texts in a column
HINTS = re.compile("类|标签|label|class|categor", re.IGNORECASE)
Columns = Mapping[str, Sequence[str]]
"""Name → cells, as many in each."""


def likely_texts(columns: Columns) -> str:
    """The column with the longest cells, if they are long enough for texts; empty if there is none."""
    means = {name: sum(map(len, cells)) / max(1, len(cells)) for name, cells in columns.items()}
    longest = max(means, key=means.__getitem__, default="")
    return longest if means.get(longest, 0) >= SHORTEST else ""


def likely_labels(columns: Columns) -> str:
    """The column that looks most like labels; empty if there is none."""
    counts = {name: count_of_labels(cells) for name, cells in columns.items()}
    likely = [name for name, count in counts.items() if count]
    # A column that calls itself a class goes first, then the finest: 性别 and 渠道 have few values.
    return max(likely, key=lambda name: (bool(HINTS.search(name)), counts[name]), default="")


def count_of_labels(cells: Sequence[str]) -> int:
    """How many labels a column may hold: few, short, with letters; 0 if it does not look like labels."""
    labels = {cell.strip() for cell in cells} - {""}
    if not 2 <= len(labels) <= min(MOST, len(cells) // 2):
        return 0
    short = all(len(label) <= LONGEST and any(map(str.isalpha, label)) for label in labels)
    return len(labels) if short else 0
