"""A dataset: petitions with the labels that people gave them, some of them missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy

MISSING = -1
LONGEST = 20  # characters of a label


@dataclass(frozen=True)
class Dataset:
    """Labelled petitions.

    labels: task → one code a petition, empty where nobody labelled it; tasks that nobody labelled are absent.
    name, hash: what it is and which content it has, for the model's card.
    groups: what each petition belongs to (its writer, its near duplicates), none if every one stands by itself;
    a model that is judged on a petition has seen none of its group.
    times: when each came in, none if that is not known. lines: where each stands in its source, counted from 1.
    headings: task → the name of its column in the source.
    """

    petitions: Sequence[Petition]
    labels: Mapping[str, Sequence[str]]
    name: str
    hash: str
    groups: Sequence[str] = ()
    times: Sequence[datetime | None] = ()
    lines: Sequence[int] = ()
    headings: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.petitions)

    @cached_property
    def fields(self) -> list[str]:
        """Titles and texts in turn, as the reader takes them."""
        return [field for petition in self.petitions for field in (petition.title, petition.text)]

    def part(self, rows: Iterable[int]) -> Dataset:
        """Only these rows, in this order."""
        chosen = list(rows)
        return replace(
            self,
            petitions=[self.petitions[row] for row in chosen],
            labels={task: [codes[row] for row in chosen] for task, codes in self.labels.items()},
            groups=_chosen(self.groups, chosen),
            times=_chosen(self.times, chosen),
            lines=_chosen(self.lines, chosen),
        )

    def place(self, row: int) -> str:
        """Where a row stands, as an error names it."""
        return f"{self.name} 第 {self.lines[row] if self.lines else row + 1} 行"

    def heading(self, task: str) -> str:
        """The column of a task, as the source calls it."""
        return self.headings.get(task, task)

    @property
    def group_numbers(self) -> NDArray[np.int64]:
        """(rows,) equal within a group."""
        if not self.groups:
            return np.arange(len(self))
        return np.unique(self.groups, return_inverse=True)[1].astype(np.int64)

    def columns(self, task: str, taxonomy: Taxonomy) -> NDArray[np.int64]:
        """(rows,) the column of each label, `MISSING` where there is none.

        Raises `InputError` naming the row of a label that the taxonomy does not hold.
        """
        position = {code: column for column, code in enumerate(taxonomy.codes(task))} | {"": MISSING}
        for row, code in enumerate(self.labels[task]):
            if code not in position:
                place = f"{self.place(row)}，列 {self.heading(task)}"
                raise InputError(place=place, reason=f"标签 {shown(code)} 不在分类体系里")
        return np.array([position[code] for code in self.labels[task]], np.int64)


def _chosen(values: Sequence[Any], rows: Sequence[int]) -> Sequence[Any]:
    return [values[row] for row in rows] if values else ()


def shown(code: str) -> str:
    """A label as an error may quote it: a column taken by mistake holds whole petitions."""
    return (
        repr(code) if len(code) <= LONGEST and sum(c.isdigit() for c in code) < 5 else f"（{len(code)} 个字，不显示）"
    )
