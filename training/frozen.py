"""Frozen: the default model's encoder under new heads; no torch, and a minute where fine-tuning takes an hour."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nlp.encoder import Encoder
from nlp.heads import Matrix
from nlp.model import Model
from nlp.reader import Reader
from training.cascade import cascade
from training.dataset import Dataset
from training.fitting import Fit, Step
from training.heads import Columns, FitSettings, folds
from training.mount import Head, mounted, save_heads

MOST = 5_000  # rows: beyond that, reading them takes longer than an office waits, and the linear model knows enough
STRENGTH = 0.02  # scikit-learn's C: a hundred rows must not bend 384 directions
SOURCE = "默认模型的编码器，只换了分类头"
PORTION = 128  # petitions between two steps of the progress bar


def with_frozen(done: Fit, dataset: Dataset, model: Model, encoder: Encoder, out: Path, step: Step) -> Model:
    """Save a model with new heads on an encoder that stays as it is, weighed by folds against the linear model."""
    embedded = read(encoder, dataset, step)
    labels = {task: np.where(done.fitted[task].known, columns, -1) for task, columns in done.labels.items()}
    widths = {task: model.heads.widths[task] for task in labels}
    heads = [_head(embedded, labels[task], width) for task, width in widths.items()]
    held = {task: _held(embedded, labels[task], done.material.groups, widths[task], FitSettings()) for task in labels}
    weighed = cascade(done.answers, held, labels, model.thresholds.error)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        folder = Path(scratch) / "encoder"
        shutil.copytree(encoder.folder, folder)
        save_heads(heads, folder)
        settings = replace(encoder.settings, widths=widths)
        return mounted(model, folder, settings, weighed, {"source": SOURCE}, out)


def read(encoder: Encoder, dataset: Dataset, step: Step) -> NDArray[np.float32]:
    """(rows, width) what the encoder makes of every row."""
    lines = encoder.lines(Reader().fields(dataset.fields).texts, range(len(dataset)))
    step("编码器通读一遍", len(lines))
    parts = []
    for start in range(0, len(lines), PORTION):
        parts.append(encoder.embed(lines[start : start + PORTION]))
        step("编码器通读一遍", -len(parts[-1]))
    return np.concatenate(parts)


def regression() -> Pipeline:
    """The classifier above the embeddings."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=300))


def _head(embedded: NDArray[np.float32], columns: Columns, width: int) -> Head:
    """(width of the encoder, labels) weights and (labels,) bias of one task, the scaling folded in."""
    known = columns >= 0
    scaler, fitted = (part for _, part in regression().fit(embedded[known], columns[known]).steps)
    weights = np.zeros((embedded.shape[1], width), np.float32)
    bias = np.full(width, -30, np.float32)  # a label that no row bears
    slopes, offsets, labels = fitted.coef_, fitted.intercept_, fitted.classes_
    if len(labels) == 2:  # one column tells them apart
        slopes, offsets = np.concatenate([-slopes, slopes]) / 2, np.concatenate([-offsets, offsets]) / 2
    folded = slopes / scaler.scale_
    weights[:, labels] = folded.T
    bias[labels] = offsets - folded @ scaler.mean_
    return weights, bias


def _held(
    embedded: NDArray[np.float32], columns: Columns, groups: Columns, width: int, settings: FitSettings
) -> Matrix:
    """(rows, labels) probabilities of each row by a head that had not seen it; even where it has no label."""
    known = np.flatnonzero(columns >= 0)
    labels = columns[known]
    apart = folds(labels, groups[known], settings)
    told = cross_val_predict(regression(), embedded[known], labels, cv=apart, method="predict_proba")
    held = np.full((len(columns), width), 1 / width)
    held[known] = 1e-9
    held[np.ix_(known, np.unique(labels))] = told
    return held
