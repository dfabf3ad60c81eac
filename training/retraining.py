"""Retrain: from a table of labelled tickets to a model and everything that its report tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nlp.answers import Answers
from nlp.decider import Decider
from nlp.drift import Drift, Profile, profile
from nlp.model import Model
from nlp.reader import Reader
from nlp.taxonomy import TASK_NAMES, Taxonomy
from training import testset
from training.cleaning import Conflict, clean
from training.curve import Curve, curve
from training.dataset import Dataset
from training.evaluation import Report, answered
from training.findings import Finding
from training.fitting import Fit, Recipe, Step, fit
from training.labels import coded, taxonomy_of
from training.report import Extras
from training.split import Split, split
from training.suspects import suspects

QUICK, LATEST = 0.1, 0.2  # shares of the rows that are held out: by --quick, and by time
BY_TIME = "time"
FROZEN = "在冻结的测试集里（或与其中的近似），不用来训练"


@dataclass(frozen=True)
class Prepared:
    """Rows ready to be learned from, their taxonomy, and what was found on the way."""

    dataset: Dataset
    taxonomy: Taxonomy
    findings: Sequence[Finding]
    conflicts: Sequence[Conflict]


def prepare(dataset: Dataset, base: Taxonomy, home: Path, *, strict: bool = False) -> Prepared:
    """Labels become codes, the rows are cleaned and grouped, and the frozen test set is left out.

    strict: only the labels of `base` are welcome; else categories of the data's own make a taxonomy of their own.
    """
    named, taxonomy = (coded(dataset, base), base) if strict else taxonomy_of(dataset, base)
    cleaned = clean(named)
    left, frozen = testset.without(cleaned.dataset, home)
    lines = [cleaned.dataset.lines[row] if cleaned.dataset.lines else row + 1 for row in frozen]
    found = [Finding("frozen", FROZEN, len(frozen), lines)] if frozen else []
    return Prepared(left, taxonomy, [*cleaned.findings, *found], cleaned.conflicts)


@dataclass(frozen=True)
class Retrained:
    """A fitted model, and what was measured on rows that its fits had not seen.

    judged: the report; that of the latest rows, by a model of the earlier ones, where times are known.
    apart: how the judged rows were kept apart, as a sentence.
    """

    fit: Fit
    judged: Report
    apart: str


def retrain(prepared: Prepared, recipe: Recipe, progress: Step, *, quick: bool = False) -> Retrained:
    """Fit; quick: once, on nine tenths, judged on the last; else with folds, and by time where times are known."""
    dataset, taxonomy = prepared.dataset, prepared.taxonomy
    if quick:
        apart = split(dataset, QUICK, recipe.heads.seed)
        done = fit(dataset, taxonomy, holding(recipe, dataset, apart), progress)
        return Retrained(done, done.report, apart.told)
    done = fit(dataset, taxonomy, recipe, progress)
    if any(dataset.times):
        apart = split(dataset, LATEST, recipe.heads.seed)
        if apart.by == BY_TIME:
            earlier = fit(dataset, taxonomy, holding(recipe, dataset, apart), progress)
            return Retrained(done, replace(earlier.report, model=done.report.model), apart.told)
    groups = "，同组的（近似重复的）不分开" if dataset.groups else ""
    return Retrained(done, done.report, f"交叉验证：每条由没见过它的模型作答{groups}")


def holding(recipe: Recipe, dataset: Dataset, apart: Split) -> Recipe:
    """The recipe with the held-out rows of a split."""
    held = np.zeros(len(dataset), np.bool_)
    held[apart.held] = True
    return replace(recipe, held=held)


def extras(done: Retrained, prepared: Prepared, model: Model, live: Model | None) -> Extras:
    """What the report tells besides the scores. model: as it was saved. live: the model in use before."""
    dataset, held = prepared.dataset, done.fit.report
    return Extras(
        held_out=done.apart,
        threshold=model.thresholds.confidence,
        findings=[*prepared.findings, *unlearned(model, prepared)],
        curve=_curve(done.fit),
        drift=_drift(live, dataset) if live else None,
        suspects={task: suspects(score, held.known[task].nonzero()[0]) for task, score in held.tasks.items()},
        learned=dataset,
        cascade=model.card.get("encoder", {}).get("cascade"),
    )


def unlearned(model: Model, prepared: Prepared) -> list[Finding]:
    """The labels that rows bear and the model could not learn, each with its rows and the reason."""
    found = []
    for task, codes in model.card["not_learned"].items():
        counts = Counter(prepared.dataset.labels[task])
        fewest = model.card["folds"] or 2
        for code in codes:
            if counts[code]:
                told = f"{TASK_NAMES[task]}“{code}”只有 {counts[code]} 条，至少要 {fewest} 条才能学，没有学到"
                found.append(Finding("not_learned", told, counts[code], _lines(prepared.dataset, task, code)))
    return found


def _lines(dataset: Dataset, task: str, code: str) -> list[int]:
    rows = [row for row, given in enumerate(dataset.labels[task]) if given == code]
    return [dataset.lines[row] if dataset.lines else row + 1 for row in rows]


def _curve(done: Fit) -> Curve:
    """The learning curve of the category, or of the first task that there is."""
    task = "category" if "category" in done.labels else next(iter(done.labels))
    return curve(done.material, done.labels[task], done.fitted[task].weights.shape[1])


def _drift(live: Model, dataset: Dataset) -> Drift | None:
    """How the rows differ from those that the live model learned; none for a model that kept no profile of them."""
    if "profile" not in live.card:
        return None
    after = seen(live, dataset)
    return Drift(Profile.from_dict(live.card["profile"]), after)


def seen(model: Model, dataset: Dataset) -> Profile:
    """A dataset as a model sees it: its own answers, its confidence, the words that it does not know."""
    answers: Answers = answered(Decider(model), dataset)
    codes = model.taxonomy.codes("category")
    mix = Counter(codes[column] for column in answers.best["category"].tolist())
    return profile(model, Reader().fields(dataset.fields).texts, mix, answers.confidence)
