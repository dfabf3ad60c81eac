"""Matters: the separate problems of a petition, found as stretches of sentences that speak of one category each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from nlp.features import Tokens
from nlp.files import DATA, read_toml
from nlp.folding import SIZE
from nlp.hashing import Columns
from nlp.heads import TINY, Matrix
from nlp.model import Model
from nlp.spotter import Spotter
from nlp.text import Texts, holders

Pieces = Sequence[tuple[int, int]]
"""Stretches `start:end` of the buffer."""
LEAST = 1e-6  # a probability of zero would forbid a category for good


@dataclass(frozen=True, slots=True)
class Stretch:
    """A matter of a petition: its category (a column), and the pieces of the buffer that speak of it."""

    category: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def longest(self) -> tuple[int, int]:
        """The longest run of pieces that touch each other."""
        runs: list[tuple[int, int]] = []
        for start, end in self.pieces:
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        return max(runs, key=lambda run: run[1] - run[0])


@dataclass(frozen=True)
class MatterRules:
    """The numbers of the file, which says what each is."""

    settled: float
    second: float
    likely: int
    short: int
    pieces: int
    full: int
    change: float
    cued: float
    whole: float
    sure: float
    least: int
    longer: float
    led: float

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> MatterRules:
        """The numbers among the file's entries."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Cut:
    """The pieces of the petitions looked at, all in one row.

    rows: (p,) the petitions; ends: (p + 1,) the pieces of petition i are `ends[i] : ends[i + 1]`.
    start, end: (m,) of each piece; cued: (m,) whether it begins with a cue; likely: (p, k) columns of categories.
    """

    rows: NDArray[np.intp]
    ends: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    cued: NDArray[np.bool_]
    likely: NDArray[np.intp]

    @property
    def owner(self) -> NDArray[np.int64]:
        """(m,) the petition of each piece, by its place in `rows`."""
        return np.arange(len(self.rows)).repeat(np.diff(self.ends))


class Matters:
    """Finds the matters of those petitions of a batch that may hold several."""

    def __init__(self, model: Model) -> None:
        data = read_toml(DATA / "matters.toml")
        self._rules = MatterRules.of(data)
        self._marks = np.zeros(SIZE, np.bool_)
        self._marks[[ord(mark) for mark in data["marks"]]] = True
        self._cues = Spotter(dict.fromkeys(data["cues"], ""))
        place = model.heads.columns("category")
        self._weights, self._bias = model.heads.weights, model.heads.bias[place].astype(np.float64)
        self._first = place.start
        self._exponent = 1 / model.heads.temperatures["category"]
        self._idf = model.idf

    def find(self, texts: Texts, tokens: Tokens, columns: Columns, category: Matrix) -> dict[int, list[Stretch]]:
        """The matters of each petition that holds several, by its number, the main one first.

        tokens, columns: those of the batch; category: (n, categories) probabilities of the whole petitions.
        """
        cut = self._cut(texts, category)
        if not len(cut.rows):
            return {}
        probabilities = self._answered(cut, texts, tokens, columns)
        found: dict[int, list[Stretch]] = {}
        for number, path in enumerate(self._paths(cut, probabilities)):
            begin, stop = cut.ends[number], cut.ends[number + 1]
            row, likely = int(cut.rows[number]), cut.likely[number]
            pieces = list(zip(cut.start[begin:stop].tolist(), cut.end[begin:stop].tolist(), strict=True))
            sure = _surest(probabilities[begin:stop], path)
            held = self._held(pieces, path, sure)
            if len(held) > 1:
                main = self._main(held, sure, category[row, likely])
                order = [main, *(place for place in held if place != main)]
                found[row] = [Stretch(int(likely[place]), tuple(held[place])) for place in order]
        return found

    def _cut(self, texts: Texts, category: Matrix) -> Cut:
        """The sentences of the petitions whose second category is not negligible, cut before cues too."""
        rules, bounds = self._rules, texts.bounds
        count = min(rules.likely, category.shape[1])
        top = np.partition(category, -2, axis=1)[:, -2:] if count > 1 else category[:0]
        opened = ((top[:, -1] < rules.settled) & (top[:, 0] > rules.second)).nonzero()[0]
        if not len(opened):
            return Cut(*(np.zeros(0, np.int64),) * 4, np.zeros(0, np.bool_), np.zeros((0, 0), np.intp))
        mark = self._marks[texts.codes]
        after = (mark[:-1] & ~mark[1:]).nonzero()[0] + 1
        cues = np.array([start for start, _, _ in self._cues.find(texts.codes, texts.whole)], np.int64)
        places = np.unique(np.concatenate((after, cues)))
        first, last = bounds[2 * opened + 1], bounds[2 * opened + 2] - 1
        begin, stop = places.searchsorted(first, side="right"), places.searchsorted(last)
        several = begin < stop
        pieces: list[list[int]] = [
            self._spaced([start, *places[left:right].tolist()], end)
            for start, end, left, right in zip(
                *(part[several].tolist() for part in (first, last, begin, stop)), strict=True
            )
        ]
        kept = [number for number, starts in enumerate(pieces) if len(starts) > 2]
        rows = opened[several][kept]
        start = np.array([start for number in kept for start in pieces[number][:-1]], np.int64)
        end = np.array([end for number in kept for end in pieces[number][1:]], np.int64)
        ends = np.concatenate(([0], np.cumsum([len(pieces[number]) - 1 for number in kept], dtype=np.int64)))
        likely = np.argsort(-category[rows], axis=1)[:, :count]
        return Cut(rows, ends, start, end, np.isin(start, cues), likely)

    def _spaced(self, starts: list[int], end: int) -> list[int]:
        """The starts that are not too near to the one before or to the end, and the end."""
        kept = starts[:1]
        for start in starts[1:]:
            if start - kept[-1] >= self._rules.short and end - start >= self._rules.short:
                kept.append(start)
        return [*kept[: self._rules.pieces], end]

    def _answered(self, cut: Cut, texts: Texts, tokens: Tokens, columns: Columns) -> Matrix:
        """(m, k) for each piece the probabilities of the likely categories, by its runs of characters alone.

        A run counts each time it occurs; the petition's own answer counts it with a logarithm, and words too.
        """
        count = len(cut.start)
        holder = holders(cut.start, cut.end, len(texts.codes), -1)
        column, start = columns[tokens.words :], tokens.start[tokens.words :]
        piece = holder[start]
        known = ((column >= 0) & (piece >= 0) & (holder[tokens.end[tokens.words :] - 1] == piece)).nonzero()[0]
        column, piece = column[known], piece[known]
        value = self._idf[column].astype(np.float64)
        norm = np.sqrt(np.maximum(np.bincount(piece, value * value, count), TINY))
        likely = cut.likely[cut.owner]
        flat, width = self._weights.ravel(), self._weights.shape[1]
        base = column * np.int64(width) + self._first
        score = np.empty(likely.shape)
        for place in range(likely.shape[1]):
            weight = flat.take(base + likely[piece, place])
            score[:, place] = np.bincount(piece, weight * value, count)
        own = np.maximum(expit(score / norm[:, None] + self._bias[likely]), TINY) ** self._exponent
        result: Matrix = own / own.sum(axis=1, keepdims=True)
        return result

    def _paths(self, cut: Cut, probabilities: Matrix) -> list[list[int]]:
        """The category of every piece (by its place in `likely`), by Viterbi's algorithm.

        They give the greatest sum of log-probabilities, weighted by length, less the cost of every change.
        """
        count, width = cut.likely.shape
        lengths = np.diff(cut.ends)
        step = np.arange(len(cut.start)) - cut.ends[:-1].repeat(lengths)
        share = np.minimum((cut.end - cut.start) / self._rules.full, 1)[:, None]
        gain = np.zeros((int(lengths.max()), count, width))
        gain[step, cut.owner] = np.log(np.maximum(probabilities, LEAST)) * share
        gain[step, cut.owner, 0] += self._rules.whole
        cost = np.full((len(gain), count), np.inf)  # nothing changes after the end
        cost[step, cut.owner] = np.where(cut.cued, self._rules.cued, self._rules.change)
        value, back = gain[0], np.zeros(gain.shape, np.intp)
        for number in range(1, len(gain)):
            changed = value.max(axis=1) - cost[number]
            stays = value >= changed[:, None]
            back[number] = np.where(stays, np.arange(width), value.argmax(axis=1)[:, None])
            value = np.where(stays, value, changed[:, None]) + gain[number]
        path = np.empty((len(gain), count), np.intp)
        path[-1] = value.argmax(axis=1)
        for number in range(len(gain) - 1, 0, -1):
            path[number - 1] = back[number, np.arange(count), path[number]]
        return [path[:length, row].tolist() for row, length in enumerate(lengths.tolist())]

    def _held(self, pieces: Pieces, path: Sequence[int], sure: Mapping[int, float]) -> dict[int, list[tuple[int, int]]]:
        """The pieces of each matter, in the order of the text; none but the whole one's where the rest is not sure."""
        held: dict[int, list[tuple[int, int]]] = {}
        for piece, place in zip(pieces, path, strict=True):
            held.setdefault(place, []).append(piece)
        if 0 not in held or len(held) == 1:
            return {}
        return {
            place: mine for place, mine in held.items()
            if place == 0 or (sure[place] >= self._rules.sure and _length(mine) >= self._rules.least)
        }  # fmt: skip

    def _main(self, held: Mapping[int, Pieces], sure: Mapping[int, float], whole: NDArray[np.float64]) -> int:
        """The first matter or one much longer (section 5 of the guide); the whole one's where that is doubtful."""
        if min(sure[place] for place in held) < self._rules.sure:
            return 0
        length = {place: _length(mine) for place, mine in held.items()}
        first, longest = next(iter(held)), max(held, key=length.__getitem__)
        main = longest if length[longest] > self._rules.longer * length[first] else first
        return main if whole[main] >= self._rules.led else 0


def _length(pieces: Pieces) -> int:
    return sum(end - start for start, end in pieces)


def _surest(probabilities: Matrix, path: Sequence[int]) -> dict[int, float]:
    """For each category of a path the greatest probability that a piece of it has."""
    sure: dict[int, float] = {}
    for place, row in zip(path, probabilities.tolist(), strict=True):
        sure[place] = max(sure.get(place, 0.0), row[place])
    return sure


def pieced(tokens: Tokens, columns: Columns, groups: Sequence[Pieces], size: int) -> tuple[Tokens, Columns]:
    """The tokens that stand inside the pieces of each group, with the group's number as their row.

    A piece of the buffer, of `size` code points, belongs to one group; a token that reaches out of it is left out.
    """
    owner = np.array([number for number, pieces in enumerate(groups) for _ in pieces])
    start, end = np.array([piece for pieces in groups for piece in pieces], np.int64).T
    holder = np.append(owner, -1)[holders(start, end, size, -1)]
    row = holder[tokens.start]
    inside = ((row >= 0) & (holder[tokens.end - 1] == row)).nonzero()[0]
    untitled = np.zeros(len(inside), np.bool_)
    words = int(inside.searchsorted(tokens.words))
    chosen = Tokens(tokens.key[inside], tokens.start[inside], tokens.end[inside], row[inside], untitled, words)
    return chosen, columns[inside]
