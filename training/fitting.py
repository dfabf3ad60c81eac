"""Fit: labelled petitions in, a calibrated model with its thresholds and scores out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlp.drift import profile
from nlp.errors import InputError
from nlp.features import Features, FeatureSettings, weighted
from nlp.heads import Heads, Matrix, Probabilities, lifted, tempered
from nlp.joint import JOINED, Table
from nlp.model import Model
from nlp.reader import Reader
from nlp.segment import Segmenter, open_segmenter
from nlp.taxonomy import TASKS, Taxonomy
from nlp.thresholds import Thresholds
from nlp.vocabulary import Vocabulary
from training.calibration import TIE, lift, settled, temperature, threshold
from training.dataset import MISSING, Dataset
from training.evaluation import Report
from training.heads import Columns, FitSettings, Fitted, Material, fit_heads, learnable
from training.prior import MOST, SHARE, Prior
from training.scores import TaskScore
from training.vocabulary import RARE, choose

FEWEST = 20
UNSURE = 1.01  # a confidence that no answer has
Step = Callable[[str, int], None]
"""Progress: what is being done, and how many steps it adds to the whole."""


@dataclass(frozen=True)
class Recipe:
    """All settings of a fit; `error` is the share of wrong categories that answers alone may have.

    rare: petitions that a feature must stand in. prior: what is known of words beforehand.
    held: (rows,) true for rows that are only judged, in place of folds over all rows (`jiesu fit --quick`).
    """

    features: FeatureSettings = FeatureSettings()
    heads: FitSettings = FitSettings()
    error: float = 0.05
    rare: int = RARE
    prior: Prior | None = None
    held: NDArray[np.bool_] | None = None


OWN = Recipe(rare=4)
"""The recipe of the project's own model: it ships in the tree, so that features of few petitions are left out."""


@dataclass(frozen=True)
class Fit:
    """A fitted model, and what it answered to the rows that each fit had not seen.

    material: what the heads were fitted on. labels: task → (rows,) columns. fitted: the heads before they were joined.
    """

    model: Model
    report: Report
    material: Material
    labels: dict[str, Columns]
    fitted: dict[str, Fitted]

    @property
    def answers(self) -> Probabilities:
        """Task → (rows, labels) calibrated answers to every row by a fit that had not seen it."""
        return calibrated(self.fitted, self.model.heads)


def calibrated(fitted: dict[str, Fitted], heads: Heads) -> Probabilities:
    """The held-out answers of all tasks, tempered and lifted as those of the heads are."""
    each = {task: tempered(head.held, heads.temperatures[task]) for task, head in fitted.items()}
    return lifted(each, {task: lift for task, lift in heads.lifts.items() if task in each})


def fit(dataset: Dataset, taxonomy: Taxonomy, recipe: Recipe, progress: Step,
        segmenter: Segmenter | None = None) -> Fit:  # fmt: skip
    """Train on a dataset; raises `InputError` when it cannot be learned from.

    Words are cut by the recipe's segmenter with the domain dictionary, or by the one given.
    """
    labels = _labels(dataset, taxonomy, recipe)
    widths = {task: len(taxonomy.labels(task)) for task in labels}
    progress("读取、归一、脱敏", 0)
    prior = recipe.prior
    vocabulary, idf, matrix = _features(dataset, recipe, segmenter)
    known = prior.weights(vocabulary, matrix) if prior and len(dataset) <= MOST else None
    material = Material(matrix, dataset.group_numbers, known, recipe.held)
    settings = recipe.heads if known is None else replace(recipe.heads, share=SHARE)
    progress("训练各任务", material.fits(len(labels), settings))
    fitted = fit_heads(material, labels, widths, settings, lambda: progress("训练各任务", -1))
    heads = _heads(fitted, labels, widths)
    report = held_out(dataset, fitted, labels, heads, taxonomy)
    limits = _limits(report, recipe)
    report = replace(report, alone=report.alone & (report.confidence >= limits.confidence))
    lacking = _not_learned(fitted, taxonomy)
    heads = prior.filled(heads, vocabulary, taxonomy, lacking) if prior else heads
    card = _card(dataset, recipe, settings) | {
        "not_learned": lacking,
        "answered_by": _answered_by(prior, taxonomy, lacking),
    }
    model = Model(taxonomy, recipe.features, vocabulary, idf, heads, limits, card, _measured(report, dataset, recipe))
    return Fit(_profiled(model, dataset, report), report, material, labels, fitted)


def _profiled(model: Model, dataset: Dataset, report: Report) -> Model:
    """The model with a profile of its rows on its card: with it later rows are compared."""
    category = report.tasks.get("category")
    if not category:
        return model
    codes = model.taxonomy.codes("category")
    mix = Counter(codes[column] for column in category.best.tolist())
    texts = Reader().fields(dataset.fields).texts
    return replace(model, card={**model.card, "profile": profile(model, texts, mix, category.confidence).as_dict()})


def _features(
    dataset: Dataset, recipe: Recipe, segmenter: Segmenter | None
) -> tuple[Vocabulary, NDArray[np.float32], csr_matrix]:
    """The vocabulary, its idf, and the (rows, features) matrix of the petitions."""
    texts = Reader().fields(dataset.fields).texts
    features = Features(recipe.features, segmenter or open_segmenter(recipe.features.segmenter))
    tokens = features.tokens(texts)
    vocabulary, idf = choose(texts, tokens, recipe.rare)
    if recipe.prior:
        vocabulary, idf = recipe.prior.extended(vocabulary, idf)
    if not len(vocabulary):
        raise InputError(place=dataset.name, reason="没有可学的文字：每个词都只出现在一条里")
    counts = features.counts(tokens, vocabulary.table.columns(tokens.key), len(dataset), len(vocabulary))
    return vocabulary, idf, weighted(counts, idf)


def _labels(dataset: Dataset, taxonomy: Taxonomy, recipe: Recipe) -> dict[str, Columns]:
    """The columns of every task that the dataset has, all of which can be learned."""
    if len(dataset) < FEWEST:
        raise InputError(place=dataset.name, reason=f"只有 {len(dataset)} 条，至少要 {FEWEST} 条才能训练")
    if not dataset.labels:
        raise InputError(place=dataset.name, reason="一个标签都没有")
    labels = {task: dataset.columns(task, taxonomy) for task in dataset.labels}
    for task, columns in labels.items():
        if len(np.unique(columns[learnable(columns, recipe.heads)])) < 2:
            place = f"{dataset.name}，列 {dataset.heading(task)}"
            kinds = len(np.unique(columns[columns != MISSING]))
            reason = f"有 {kinds} 种标签，没有两种是 {recipe.heads.folds} 条以上的，没有可学的；请补标，或合并太细的类"
            raise InputError(place=place, reason=reason)
    return labels


def _heads(fitted: dict[str, Fitted], labels: dict[str, Columns], widths: dict[str, int]) -> Heads:
    """The heads side by side, calibrated on what they answered to rows that they had not seen."""
    temperatures: dict[str, float] = {}
    lifts: dict[str, Matrix] = {}
    for task, head in fitted.items():
        if task == "category" or "category" not in fitted:
            temperatures[task] = temperature(head.held[head.known], labels[task][head.known])
        else:
            temperatures[task], lifts[task] = _lift(fitted, labels, widths, task, temperatures["category"])
    weights = np.concatenate([fitted[task].weights for task in widths], axis=1)
    bias = np.concatenate([fitted[task].bias for task in widths])
    return Heads(weights, bias, widths, temperatures, lifts)


def _lift(fitted: dict[str, Fitted], labels: dict[str, Columns], widths: dict[str, int], task: str,
          heat: float) -> tuple[float, Matrix]:  # fmt: skip
    """The temperature of a task, and how its labels go with the categories, which have the temperature `heat`."""
    first, head = fitted["category"], fitted[task]
    both = head.known & first.known
    full = lift(labels["category"][both], labels[task][both], (widths["category"], widths[task]))
    return settled(head.held[both], labels[task][both], tempered(first.held, heat)[both], full)


def _not_learned(fitted: dict[str, Fitted], taxonomy: Taxonomy) -> dict[str, list[str]]:
    """The labels of each task that no row has, or too few."""
    return {
        task: [code for column, code in enumerate(taxonomy.codes(task)) if column not in set(head.learned.tolist())]
        for task, head in fitted.items()
    }


def _answered_by(
    prior: Prior | None, taxonomy: Taxonomy, lacking: Mapping[str, list[str]]
) -> dict[str, dict[str, Any]]:
    """Task → which model answers for labels that were not learned, and which labels these are."""
    if not prior:
        return {}
    told = {}
    for task in TASKS:
        missing = lacking.get(task, taxonomy.codes(task))
        theirs = set(prior.model.taxonomy.codes(task))
        if labels := [code for code in missing if code in theirs]:
            told[task] = {"model": prior.model.name, "labels": labels}
    return told


def held_out(dataset: Dataset, fitted: dict[str, Fitted], labels: dict[str, Columns], heads: Heads,
             taxonomy: Taxonomy) -> Report:  # fmt: skip
    """Decode the answers to held-out rows together, as serving does, and compare with the labels."""
    marginals = calibrated(fitted, heads)
    best = {task: answer.argmax(axis=1) for task, answer in marginals.items()}
    if all(task in fitted for task in JOINED):
        joint = Table(taxonomy).decode(marginals)
        best, marginals = best | joint.best, marginals | joint.marginals
    tasks = {
        task: TaskScore(best[task][head.known], labels[task][head.known], marginals[task][head.known])
        for task, head in fitted.items()
    }
    known = {task: head.known for task, head in fitted.items()}
    alone = known.get("category", np.zeros(len(dataset), np.bool_))
    return Report("", dataset.name, len(dataset), tasks, alone, known)


def _limits(report: Report, recipe: Recipe) -> Thresholds:
    """The confidence at which the model keeps its promise; without categories that of the prior, or nothing."""
    category = report.tasks.get("category")
    if not category:
        return recipe.prior.model.thresholds if recipe.prior else Thresholds(UNSURE, TIE, recipe.error)
    return Thresholds(threshold(category.confidence, category.right, recipe.error), TIE, recipe.error)


def _measured(report: Report, dataset: Dataset, recipe: Recipe) -> dict[str, Any]:
    apart = "和它同组的条" if dataset.groups else ""
    way = "留出的一部分（没有用来训练）" if recipe.held is not None else f"交叉验证（每条由没见过它{apart}的模型作答）"
    alone = report.alone[report.known["category"]] if "category" in report.known else np.zeros(0, np.bool_)
    return {
        "measured_on": f"训练数据自身，{way}",
        "rows": max(len(score.labels) for score in report.tasks.values()),
        "tasks": {task: score.as_dict() for task, score in report.tasks.items()},
        "answered_alone": round(float(alone.mean()), 4) if len(alone) else 0.0,
        "error_of_those": round(report.error_alone("category"), 4) if len(alone) else 0.0,
    }


def _card(dataset: Dataset, recipe: Recipe, settings: FitSettings) -> dict[str, Any]:
    return {
        "data": dataset.name,
        "hash": dataset.hash,
        "rows": len(dataset),
        "strength": settings.strength,
        "share": settings.share,
        "folds": settings.folds if recipe.held is None else 0,
        "error": recipe.error,
        "rare": recipe.rare,
        "prior": recipe.prior.model.name if recipe.prior else "",
    }
