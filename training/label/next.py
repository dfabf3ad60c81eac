"""Next: the petitions whose labels a model would learn most from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import aslinearoperator, eigsh
from sklearn.cluster import MiniBatchKMeans
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from nlp.decider import portions
from nlp.features import Features, weighted
from nlp.heads import Matrix
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import Segmenter, open_segmenter
from nlp.text import Texts
from nlp.thresholds import margins
from training.neighbours import first_of_each

SEED = 20261122
BREADTH = 10  # candidates for each petition wanted
DIMENSIONS = 100  # of the space in which candidates are spread
FAINTEST = 0.01  # the weight of a petition that the model is sure of: clusters need some
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Pick:
    """A petition to be labelled, with the model's category, its probability and its lead over the second."""

    petition: Petition
    code: str
    confidence: float
    margin: float


@dataclass(frozen=True)
class Picks:
    """What to label next, least certain first; how many were left out as empty, and as near duplicates."""

    picks: Sequence[Pick]
    empty: int
    duplicates: int


def choose(matrix: csr_matrix, margin: NDArray[np.float64], count: int, seed: int = SEED) -> Rows:
    """Up to `count` rows that the model is unsure of and that differ from one another, least certain first.

    matrix: (rows, features), margin: (rows,) in 0…1. Of the `BREADTH · count` rows with the smallest margin those
    nearest to the centres of `count` clusters, each row weighing 1 - margin (Zhdanov 2019, “Diverse mini-batch
    active learning”); the clusters are found after TF-IDF is reduced to `DIMENSIONS` (latent semantic analysis).
    """
    unsure = np.argsort(margin, kind="stable")[: BREADTH * count]
    if len(unsure) <= count:
        return unsure
    weights = np.maximum(1 - margin[unsure], FAINTEST)
    clusters = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=max(1024, 2 * count))
    with threadpool_limits(1):  # on a busy machine the threads of many small products wait for one another: 20 s, not 1
        points = _points(matrix[unsure], seed)
        distances = clusters.fit(points, sample_weight=weights).transform(points)
    return unsure[np.sort(_nearest(distances))]


def _points(matrix: csr_matrix, seed: int) -> Matrix:
    """(rows, features) → (rows, at most `DIMENSIONS`) of length one."""
    width = min(DIMENSIONS, min(matrix.shape) - 1)
    if width < 1 or not matrix.nnz:
        return np.ones((matrix.shape[0], 1))
    rows = aslinearoperator(matrix.astype(np.float64))
    start = np.random.default_rng(seed).random(matrix.shape[0])
    # XXᵀ has the left singular vectors of X; the right ones, as long as the vocabulary, would take most of the time
    squares, left = eigsh(rows @ rows.T, k=width, v0=start)
    points: Matrix = normalize(left * np.sqrt(np.maximum(squares, 0)))
    return points


def _nearest(distances: Matrix) -> Rows:
    """(rows, centres) → for each centre the nearest row that no other centre has taken."""
    taken = np.zeros(len(distances), np.bool_)
    for centre in range(distances.shape[1]):
        taken[np.where(taken, np.inf, distances[:, centre]).argmin()] = True
    return taken.nonzero()[0]


class Eye:
    """What a model makes of petitions: their texts, their features, its category."""

    def __init__(self, model: Model, segmenter: Segmenter | None = None) -> None:
        self.model = model
        self._reader = Reader()
        self._features = Features(model.features, segmenter or open_segmenter(model.features.segmenter))

    def texts(self, petitions: Sequence[Petition]) -> list[str]:
        """Title and text of each petition in one, as features see them."""
        fields = [field for part in portions(petitions) for field in self._reader.read(part).texts.strings]
        return [f"{title}\n{text}" for title, text in zip(fields[::2], fields[1::2], strict=True)]

    def matrix(self, petitions: Sequence[Petition]) -> csr_matrix:
        """(petitions, features) TF-IDF."""
        texts: Texts = self._reader.read(petitions).texts
        tokens = self._features.tokens(texts)
        vocabulary = self.model.vocabulary
        counts = self._features.counts(tokens, vocabulary.table.columns(tokens.key), len(petitions), len(vocabulary))
        return weighted(counts, self.model.idf)

    def category(self, petitions: Sequence[Petition]) -> Matrix:
        """(petitions, categories) probabilities."""
        parts = [self.model.heads.probabilities(self.matrix(part))["category"] for part in portions(petitions)]
        return np.concatenate(parts) if parts else np.empty((0, self.model.heads.widths["category"]))


def pick(model: Model, petitions: Sequence[Petition], labelled: Sequence[Petition], count: int) -> Picks:
    """Choose `count` of the petitions, none that is nearly another of them or one that has labels already."""
    eye = Eye(model)
    there = [petition for petition in petitions if petition.title.strip() or petition.text.strip()]
    probabilities = eye.category(there)
    margin = margins(probabilities)
    order = np.argsort(margin, kind="stable")
    known = [*labelled, *(there[row] for row in order)]
    new = order[first_of_each(eye.texts(known), len(labelled)) - len(labelled)]
    rows = new[: BREADTH * count]
    chosen = rows[choose(eye.matrix([there[row] for row in rows]), margin[rows], count)] if len(rows) else rows
    picks = [_picked(model, there[row], probabilities[row], float(margin[row])) for row in chosen]
    return Picks(picks, len(petitions) - len(there), len(there) - len(new))


def _picked(model: Model, petition: Petition, probabilities: NDArray[np.float64], margin: float) -> Pick:
    best = int(probabilities.argmax())
    code = model.taxonomy.codes("category")[best]
    return Pick(petition, code, round(float(probabilities[best]), 4), round(margin, 4))
