"""A look: what was found out of a table that was uploaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.taxonomy import TASKS

Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Look:
    """What a table is.

    names: its columns. chosen: role → those taken for it; guessed: the roles whose columns bear no usual name.
    sample: the first rows by role, masked. fault: why nothing can be learned from it yet, in words.
    """

    rows: int
    names: Sequence[str]
    chosen: Columns
    guessed: Sequence[str]
    sample: Sequence[Mapping[str, str]]
    fault: str = ""

    @property
    def labelled(self) -> bool:
        """Whether it holds labels."""
        return any(task in self.chosen for task in TASKS)
