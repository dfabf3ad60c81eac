"""Fit: labelled petitions in, a calibrated model with its thresholds and scores out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.errors import InputError
from nlp.features import Features, FeatureSettings, weighted
from nlp.heads import Heads, Matrix, lifted, tempered
from nlp.joint import Table
from nlp.model import Model
from nlp.reader import Reader
from nlp.segment import Segmenter, open_segmenter
from nlp.taxonomy import TASKS, Taxonomy
from nlp.thresholds import Thresholds
from training.calibration import TIE, lift, settled, temperature, threshold
from training.dataset import Dataset
from training.heads import Columns, FitSettings, Fitted, fit_heads, learnable
from training.scores import TaskScore
from training.vocabulary import choose

FEWEST = 20
Step = Callable[[str, int], None]
"""Progress: what is being done, and how many steps it adds to the whole."""


@dataclass(frozen=True)
class Recipe:
    """All settings of a fit; `error` is the share of wrong categories that answers alone may have."""

    features: FeatureSettings = FeatureSettings()
    heads: FitSettings = FitSettings()
    error: float = 0.05


def fit(dataset: Dataset, taxonomy: Taxonomy, recipe: Recipe, progress: Step,
        segmenter: Segmenter | None = None) -> Model:  # fmt: skip
    """Train on a dataset; raises `InputError` when it cannot be learned from.

    Words are cut by the recipe's segmenter with the domain dictionary, or by the one given.
    """
    labels = _labels(dataset, taxonomy, recipe)
    widths = {task: len(taxonomy.labels(task)) for task in TASKS}
    progress("读取、归一、脱敏", 0)
    texts = Reader().fields(dataset.fields).texts
    features = Features(recipe.features, segmenter or open_segmenter(recipe.features.segmenter))
    tokens = features.tokens(texts)
    vocabulary, idf = choose(texts, tokens)
    if not len(vocabulary):
        raise InputError(place=dataset.name, reason="没有可学的文字：每个词都只出现在一条里")
    columns = vocabulary.table.columns(tokens.key)
    matrix = weighted(features.counts(tokens, columns, len(dataset), len(vocabulary)), idf)
    progress("训练各任务", len(TASKS))
    fitted = fit_heads(matrix, labels, dataset.group_numbers, widths, recipe.heads, lambda: progress("训练各任务", -1))
    heads = _heads(fitted, labels, widths)
    held = held_out(fitted, labels, heads, Table(taxonomy))
    category = held["category"]
    limits = Thresholds(threshold(category.confidence, category.right, recipe.error), TIE, recipe.error)
    card = _card(dataset, recipe) | {"not_learned": _not_learned(fitted, labels, taxonomy)}
    return Model(
        taxonomy, recipe.features, vocabulary, idf, heads, limits, card, _measured(held, limits, bool(dataset.groups))
    )


def _labels(dataset: Dataset, taxonomy: Taxonomy, recipe: Recipe) -> dict[str, Columns]:
    """The columns of every task, all of which must be there and can be learned."""
    if len(dataset) < FEWEST:
        raise InputError(place=dataset.name, reason=f"只有 {len(dataset)} 条，至少要 {FEWEST} 条才能训练")
    labels: dict[str, Columns] = {}
    for task in TASKS:
        if task not in dataset.labels:
            raise InputError(place=dataset.name, reason=f"缺少 {task} 的标签列，四个任务都要有")
        labels[task] = columns = dataset.columns(task, taxonomy)
    for task, columns in labels.items():
        if len(np.unique(columns[learnable(columns, recipe.heads)])) < 2:
            fewest = recipe.heads.folds
            raise InputError(place=f"{dataset.name}，列 {task}", reason=f"至少要两种标签，每种 {fewest} 条以上")
    return labels


def _heads(fitted: dict[str, Fitted], labels: dict[str, Columns], widths: dict[str, int]) -> Heads:
    """The heads side by side, calibrated on what they answered to rows that they had not seen."""
    first = fitted["category"]
    temperatures = {"category": temperature(first.held[first.known], labels["category"][first.known])}
    category = tempered(first.held, temperatures["category"])
    lifts: dict[str, Matrix] = {}
    for task in (task for task in fitted if task != "category"):
        both = fitted[task].known & first.known
        columns = labels[task][both]
        full = lift(labels["category"][both], columns, (widths["category"], widths[task]))
        temperatures[task], lifts[task] = settled(fitted[task].held[both], columns, category[both], full)
    weights = np.concatenate([fitted[task].weights for task in widths], axis=1)
    bias = np.concatenate([fitted[task].bias for task in widths])
    return Heads(weights, bias, widths, temperatures, lifts)


def _not_learned(fitted: dict[str, Fitted], labels: dict[str, Columns], taxonomy: Taxonomy) -> dict[str, list[str]]:
    """The labels of each task that no row has, or too few."""
    learned = {task: set(labels[task][head.known].tolist()) for task, head in fitted.items()}
    return {
        task: [code for column, code in enumerate(taxonomy.codes(task)) if column not in known]
        for task, known in learned.items()
    }


def held_out(fitted: dict[str, Fitted], labels: dict[str, Columns], heads: Heads,
             table: Table) -> dict[str, TaskScore]:  # fmt: skip
    """Decode the out-of-fold answers together, as serving does, and compare with the labels."""
    each = {task: tempered(head.held, heads.temperatures[task]) for task, head in fitted.items()}
    answered = lifted(each, heads.lifts)
    joint = table.decode(answered)
    best = joint.best | {"type": answered["type"].argmax(axis=1)}
    marginals = joint.marginals | {"type": answered["type"]}
    judged = {}
    for task, head in fitted.items():
        known = head.known
        judged[task] = TaskScore(best[task][known], labels[task][known], marginals[task][known])
    return judged


def _measured(held: dict[str, TaskScore], limits: Thresholds, grouped: bool) -> dict[str, Any]:
    category = held["category"]
    answered = category.confidence >= limits.confidence
    return {
        "measured_on": f"训练数据自身，交叉验证（每条由没见过它{'和它同组的条' if grouped else ''}的模型作答）",
        "rows": len(category.right),
        "tasks": {task: score.as_dict() for task, score in held.items()},
        "answered_alone": round(float(answered.mean()), 4),
        "error_of_those": round(float((~category.right[answered]).mean()) if answered.any() else 0.0, 4),
    }


def _card(dataset: Dataset, recipe: Recipe) -> dict[str, Any]:
    return {
        "data": dataset.name,
        "hash": dataset.hash,
        "rows": len(dataset),
        "strength": recipe.heads.strength,
        "share": recipe.heads.share,
        "folds": recipe.heads.folds,
        "error": recipe.error,
    }
