"""Neighbours: texts that say nearly the same, found with MinHash and checked letter by letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nlp.text import code_points

NEAR = 0.8  # Jaccard similarity of the character 3-grams
WIDTH = 3
HASHES = 120
BANDS = 20  # of 6 hashes: a pair at 0.8 shares one with probability 1 - (1 - 0.8 ** 6) ** 20 = 0.998
SEED = 20
CHUNK = 4096  # texts at a time: what rensa gives back are Python numbers
AHEAD = 3  # how many of those after it in its bucket a text is compared with
DOUBTFUL = 0.65  # shared hashes below which no pair at 0.8 lies (4 standard deviations)
GROUND = np.uint64(0x9E3779B97F4A7C15)
Pairs = NDArray[np.int64]
"""(n, 2) rows, the lesser first."""


def near_pairs(texts: Sequence[str]) -> Pairs:
    """Pairs of texts with a Jaccard similarity of at least `NEAR`, enough of them to connect each cluster.

    A bucket of m texts costs m·`AHEAD` comparisons, not m²: an office has thousands of letters from one template.
    """
    if len(texts) < 2:
        return np.empty((0, 2), np.int64)
    digests = np.concatenate([_digests(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)])
    pairs = np.unique(np.concatenate(list(_candidates(digests))), axis=0)
    likely = np.concatenate([_shared(digests, pairs[at : at + CHUNK]) for at in range(0, len(pairs) + 1, CHUNK)])
    return pairs[_checked(texts, pairs, likely >= DOUBTFUL)]


def first_of_each(texts: Sequence[str], met: int = 0) -> NDArray[np.int64]:
    """The first text of each cluster of near duplicates, but of those that hold one of the first `met` texts."""
    one, other = near_pairs(texts).T
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(texts), len(texts)))
    clusters = connected_components(graph, directed=False)[1] if len(texts) else np.empty(0, np.int64)
    first = np.sort(np.unique(clusters, return_index=True)[1])
    return np.asarray(first[first >= met], np.int64)


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """|A ∩ B| / |A ∪ B| (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 1.0


def grams(text: str) -> frozenset[str]:
    """The character 3-grams of a text, or itself if it is shorter."""
    return frozenset(text[at : at + WIDTH] for at in range(max(1, len(text) - WIDTH + 1)))


def _digests(texts: Sequence[str]) -> NDArray[np.uint32]:
    """(texts, `HASHES`)"""
    padded = [text if len(text) >= WIDTH else text + "\0" * (WIDTH - len(text)) for text in texts]
    codes = code_points("".join(padded)).astype(np.uint64)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    # Three code points of 21 bits are one number; multiplying spreads it over all 64.
    whole = (codes[:-2] << np.uint64(42) | codes[1:-1] << np.uint64(21) | codes[2:]) * GROUND
    whole ^= whole >> np.uint64(32)
    ends = np.cumsum(lengths)
    inside = np.ones(len(codes), np.bool_)
    inside[np.concatenate([ends - 1, ends - 2])] = False  # no 3-gram reaches into the next text
    offsets = np.concatenate(([0], np.cumsum(lengths - WIDTH + 1))).astype(np.uint64)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(whole[inside[:-2]], offsets, HASHES, SEED)
    return np.array(rows.to_rows(), np.uint32)


def _candidates(digests: NDArray[np.uint32]) -> Iterator[Pairs]:
    """Each text with the next few of every bucket; those with further bands in common stand together there."""
    width = HASHES // BANDS
    odd = np.random.default_rng(SEED).integers(1, 2**63, width, np.uint64) | np.uint64(1)
    bands = [(digests[:, at : at + width] * odd).sum(axis=1, dtype=np.uint64) for at in range(0, HASHES, width)]
    for number, band in enumerate(bands):
        order = np.lexsort((bands[(number + 2) % BANDS], bands[(number + 1) % BANDS], band))
        for step in range(1, AHEAD + 1):
            one, other = order[:-step], order[step:]
            same = band[one] == band[other]
            yield np.sort(np.stack([one[same], other[same]], axis=1), axis=1)


def _shared(digests: NDArray[np.uint32], pairs: Pairs) -> NDArray[np.float64]:
    """(pairs,) the share of equal hashes, which estimates the similarity."""
    return np.asarray((digests[pairs[:, 0]] == digests[pairs[:, 1]]).mean(axis=1), np.float64)


def _checked(texts: Sequence[str], pairs: Pairs, likely: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(pairs,) whether the 3-grams themselves are similar; `pairs` are in the order of their first text."""
    near = np.zeros(len(pairs), np.bool_)
    last, known = -1, frozenset[str]()
    for position in np.flatnonzero(likely).tolist():
        one, other = pairs[position].tolist()
        if one != last:
            last, known = one, grams(texts[one])
        near[position] = similarity(known, grams(texts[other])) >= NEAR
    return near
