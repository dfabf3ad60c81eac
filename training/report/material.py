"""Material: everything that the page, the record and the workbook tell, made once for them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from corpora.markup import percent
from nlp.taxonomy import TASKS, Taxonomy
from training.dataset import Dataset
from training.evaluation import Report
from training.report.excerpts import Excerpt, excerpts
from training.report.extras import Extras
from training.report.figures import confusions, macro_f1_interval
from training.suspects import Suspect

CHINA = timedelta(hours=8)
TENTH, AT_LEAST = 0.1, 200  # the suspects of a task that are put down for correcting, and never fewer


@dataclass(frozen=True)
class Material:
    """A report with its dataset, its names and its extras."""

    report: Report
    dataset: Dataset
    taxonomy: Taxonomy
    extras: Extras

    @property
    def day(self) -> date:
        """The day of the report, by the clocks of China."""
        return self.extras.day or (datetime.now(UTC) + CHINA).date()

    @property
    def first(self) -> str:
        """The task that the page shows open: the category, or else the first that was judged."""
        return next(iter(self.report.tasks), "")

    @cached_property
    def codes(self) -> dict[str, list[str]]:
        """Task → the codes of its labels."""
        return {task: self.taxonomy.codes(task) for task in TASKS}

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Task → the names of its labels."""
        return {task: [label.name for label in self.taxonomy.labels(task)] for task in TASKS}

    def label(self, task: str, column: int) -> str:
        """A label as people read it: its name, and below it its code where that is another."""
        name, code = self.names[task][column], self.codes[task][column]
        return name if name == code else f"{name}\n{code}"

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """Task → the row of the dataset of each scored row."""
        return {task: known.nonzero()[0].tolist() for task, known in self.report.known.items()}

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Task → the 95 % interval of its macro-F1."""
        return {task: macro_f1_interval(score) for task, score in self.report.tasks.items()}

    @cached_property
    def judged(self) -> dict[int, Excerpt]:
        """The excerpts of the confusions, by the row of the judged dataset."""
        shown = (
            self.rows[task][row]
            for task, score in self.report.tasks.items()
            for one in confusions(score)
            for row in one.examples
        )
        return excerpts(self.dataset, shown)

    @property
    def source(self) -> Dataset:
        """The dataset whose rows the suspects count."""
        return self.extras.learned or self.dataset

    @cached_property
    def marked(self) -> dict[str, list[Suspect]]:
        """Task → the suspects that are put down for correcting: the first tenth, which holds most wrong labels."""
        lists = self.extras.suspects or {}
        return {task: list(ranked[: max(AT_LEAST, round(TENTH * len(ranked)))]) for task, ranked in lists.items()}

    @cached_property
    def learned(self) -> dict[int, Excerpt]:
        """The excerpts of those suspects, by their rows."""
        return excerpts(self.source, (one.row for ranked in self.marked.values() for one in ranked))

    @property
    def error_alone(self) -> str:
        """How many of the petitions answered without a human are answered wrongly, as the end of a sentence."""
        if "category" not in self.report.tasks:
            return ""
        if not self.report.alone[self.report.known["category"]].any():
            return "，这份数据里一条也没有"
        return f"，其中类别错误 {percent(self.report.error_alone('category'))}"
