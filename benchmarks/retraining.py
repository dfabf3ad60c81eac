"""Retraining: what offices reach with their own labels, many and few, and where the data lies to them.

`python -m benchmarks retraining` prints one JSON object a line; near-duplicate groups are never split. The letters are
public ones of `../shared/data`, measured on and never trained into anything that ships.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

from benchmarks.measure import figure, tell
from corpora.petitions import default_taxonomy
from nlp.decider import Decider
from nlp.encoder import Encoder
from nlp.features import Features, weighted
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import Taxonomy
from training.commands import default_model
from training.dataset import Dataset
from training.evaluation import answered
from training.fitting import Recipe, fit
from training.frozen import with_frozen
from training.labels import taxonomy_of
from training.prior import prior_of
from training.resampling import interval, resampled_f1
from training.sources import from_corpus
from training.suspects import suspects

LETTERS = Path(__file__).parent.parent.parent / "shared" / "data" / "teddy2020c_labelled.jsonl"
HOME = Path("var")
FOLDS, DRAWS, FEW, SEED = 5, 20, 8, 20261123
FLIPPED, FIRST = 0.05, 0.1
Rows = NDArray[np.int64]
MEMORY: dict[str, NDArray[np.float32]] = {}
"""What the encoder made of each line; its heads change from fit to fit, its network does not."""


@dataclass(frozen=True)
class Letters:
    """Public letters of seven classes, and their taxonomy."""

    dataset: Dataset
    taxonomy: Taxonomy

    @property
    def labels(self) -> Rows:
        """(rows,) columns."""
        return self.dataset.columns("category", self.taxonomy)


@cache
def letters() -> Letters:
    """The letters, read once."""
    rows = [json.loads(line) for line in LETTERS.read_text(encoding="utf-8").splitlines()]
    petitions = [Petition(str(row["id"]), row["text"], row["title"]) for row in rows]
    labels = {"category": [row["label"] for row in rows]}
    dataset = Dataset(petitions, labels, LETTERS.name, "0" * 64, [str(row["group"]) for row in rows])
    return Letters(*taxonomy_of(dataset, default_taxonomy()))


@cache
def own() -> Model:
    """The project's default model."""
    return default_model(HOME)


def quietly(_what: str, _steps: int) -> None:
    """No progress: the figures are the output."""


@dataclass(frozen=True)
class Remembering(Encoder):
    """An encoder that reads each line once for all draws and folds: a line embeds the same whatever is beside it."""

    def embed(self, lines: Sequence[str]) -> NDArray[np.float32]:
        """(lines, width)."""
        unknown = list(dict.fromkeys(line for line in lines if line not in MEMORY))
        MEMORY.update(zip(unknown, super().embed(unknown) if unknown else (), strict=True))
        return np.stack([MEMORY[line] for line in lines])


def remembering(encoder: Encoder, asked: float | None = None) -> Remembering:
    """The same encoder; asked: where it is to have a say, if not where it was weighed to."""
    settings = encoder.settings if asked is None else replace(encoder.settings, asked=asked)
    return Remembering(encoder.folder, settings)


@dataclass(frozen=True)
class Trained:
    """Answers to held-out letters: of LinearSVC, of the linear model, and of the cascade with the share it asked."""

    plain: Rows
    linear: Rows
    high: Rows
    always: Rows
    asked: float


def trained(rows: Sequence[int], held: Sequence[int]) -> Trained:
    """Fit on some letters, with the default model as prior and its encoder under new heads, and answer others."""
    found = letters()
    dataset, judged = found.dataset.part(rows), found.dataset.part(held)
    done = fit(dataset, found.taxonomy, Recipe(prior=prior_of(own())), quietly)
    alone = fit(dataset, found.taxonomy, Recipe(), quietly)
    support = LinearSVC(class_weight="balanced").fit(alone.material.matrix, found.labels[rows])
    plain = support.predict(matrix_of(alone.model, judged))
    linear = answered(Decider(done.model), judged).best["category"]
    encoder = own().encoder
    if not encoder:
        return Trained(plain, linear, linear, linear, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        model = with_frozen(done, dataset, done.model, remembering(encoder), Path(folder) / "model", quietly)
        if not model.encoder:
            raise RuntimeError("a model without its encoder")
        cascading = replace(model, encoder=remembering(model.encoder))
        high = answered(Decider(cascading), judged, high=True)
        every = replace(model, encoder=remembering(model.encoder, asked=1.01))
        always = answered(Decider(every), judged, high=True)
    return Trained(plain, linear, high.best["category"], always.best["category"], float(high.asked.mean()))


def matrix_of(model: Model, dataset: Dataset) -> csr_matrix:
    """(rows, features) of petitions as a model sees them."""
    features = Features(model.features, open_segmenter(model.features.segmenter))
    tokens = features.tokens(Reader().fields(dataset.fields).texts)
    columns = model.vocabulary.table.columns(tokens.key)
    return weighted(features.counts(tokens, columns, len(dataset), len(model.vocabulary)), model.idf)


def seven() -> None:
    """Seven classes, five folds by group, macro-F1 with its interval over all letters."""
    found, answers = (
        letters(),
        {name: np.full(len(letters().dataset), -1) for name in ("plain", "linear", "high", "always")},
    )
    asked = []
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for rows, held in folds.split(found.labels, found.labels, found.dataset.group_numbers):
        done = trained(rows.tolist(), held.tolist())
        for name, given in answers.items():
            given[held] = getattr(done, name)
        asked.append(done.asked)
    scores = {name: f1_score(found.labels, given, average="macro") for name, given in answers.items()}
    for name, score in scores.items():
        tell(figure(f"seven classes, macro-F1, {name}", score, "F1", scores["plain"]))
        low, high = interval(resampled_f1(found.labels, answers[name][None], 1000)[:, 0])
        tell(figure(f"seven classes, macro-F1, {name}, interval from", low, "F1", high))
    tell(figure("seven classes, share of letters that the cascade asks", float(np.mean(asked)), "share"))


def few() -> None:
    """Eight labels a class, macro-F1 on all other groups, the mean of twenty draws."""
    found, scores = letters(), defaultdict(list)
    for seed in range(DRAWS):
        rows = drawn(found, np.random.default_rng(seed))
        held = np.flatnonzero(~np.isin(found.dataset.group_numbers, found.dataset.group_numbers[rows]))
        done = trained(rows, held.tolist())
        for name in ("plain", "linear", "high"):
            scores[name].append(f1_score(found.labels[held], getattr(done, name), average="macro"))
    for name, each in scores.items():
        tell(
            figure(
                f"eight labels a class, macro-F1, {name}", float(np.mean(each)), "F1", float(np.mean(scores["plain"]))
            )
        )


def drawn(found: Letters, random: np.random.Generator) -> list[int]:
    """Eight letters of every class, no two of a group."""
    rows: list[int] = []
    groups: set[int] = set()
    for label in range(found.labels.max() + 1):
        mine = 0
        for row in random.permutation(np.flatnonzero(found.labels == label)).tolist():
            group = int(found.dataset.group_numbers[row])
            if mine < FEW and group not in groups:
                rows.append(row)
                groups.add(group)
                mine += 1
    return rows


def flipped() -> None:
    """The share of labels changed on purpose that the first tenth of the suspects holds."""
    corpus, random = from_corpus(), np.random.default_rng(SEED)
    sample = corpus.part(random.permutation(len(corpus))[:4000].tolist())
    for name, dataset, taxonomy in (
        ("corpus", sample, default_taxonomy()),
        ("letters", letters().dataset, letters().taxonomy),
    ):
        columns = dataset.columns("category", taxonomy)
        width = len(taxonomy.categories)
        wrong = np.flatnonzero(random.random(len(columns)) < FLIPPED)
        columns[wrong] = (columns[wrong] + random.integers(1, width, len(wrong))) % width
        given = [taxonomy.codes("category")[column] for column in columns]
        done = fit(replace(dataset, labels={"category": given}), taxonomy, Recipe(), quietly)
        score, known = done.report.tasks["category"], done.report.known["category"]
        ranked = [one.row for one in suspects(score, known.nonzero()[0])]
        found = np.isin(wrong, ranked[: round(FIRST * len(ranked))]).mean()
        tell(figure(f"flipped labels in the first tenth of the suspects, {name}", float(found), "share"))


def run() -> None:
    """All parts."""
    for part in (few, flipped, seven):
        part()


if __name__ == "__main__":
    run()
