"""Division: a petition of several matters is answered matter by matter, each by its own sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nlp.answers import Part
from nlp.features import Features, Tokens, weighted
from nlp.hashing import Columns
from nlp.heads import Probabilities
from nlp.joint import Table
from nlp.matters import Matters, Stretch, pieced
from nlp.model import Model
from nlp.redline import RedLine
from nlp.taxonomy import TASKS
from nlp.text import Texts


class Divider:
    """Divides the petitions of a batch with the model that answered them whole."""

    def __init__(self, model: Model, features: Features, table: Table) -> None:
        self._model = model
        self._features = features
        self._table = table
        self._matters = Matters(model)

    def divide(
        self, texts: Texts, tokens: Tokens, columns: Columns, heads: Probabilities, redlines: Mapping[int, RedLine]
    ) -> dict[int, list[Part]]:
        """The matters of the petitions that hold several, by their numbers, the main one first.

        A matter whose text shows the petition's red line leads, whatever stands before it.

        Such a petition is answered by its main matter: where that is not what the whole petition seemed
        to be, its rows of `heads` become those of the main matter's sentences, and of the category the
        mean of both, so that the other matter stays among the likely ones.
        """
        whole = heads["category"].argmax(axis=1)
        found = self._matters.find(texts, tokens, columns, heads["category"])
        if not found:
            return {}
        found = {row: _led_by(held, redlines.get(row), texts.whole) for row, held in found.items()}
        stretches = [stretch for held in found.values() for stretch in held]
        part, known = pieced(tokens, columns, [stretch.pieces for stretch in stretches], len(texts.codes))
        counts = self._features.counts(part, known, len(stretches), len(self._model.vocabulary))
        own = self._model.heads.probabilities(weighted(counts, self._model.idf))
        parts = self._parts(stretches, own)
        divided: dict[int, list[Part]] = {}
        number = 0
        for row, held in found.items():
            mine, led = parts[number : number + len(held)], held[0].category
            alone = own["category"][number]
            both = alone if row in redlines else (alone + heads["category"][row]) / 2
            if led != whole[row] and both.argmax() == led:
                for task in heads:
                    heads[task][row] = both if task == "category" else own[task][number]
                mine[0] = replace(mine[0], instead=int(whole[row]))
            elif led != whole[row]:
                mine.sort(key=lambda part, main=int(whole[row]): part.columns["category"] != main)  # type: ignore[misc]
            divided[row] = mine
            number += len(held)
        return divided

    def _parts(self, stretches: Sequence[Stretch], own: Probabilities) -> list[Part]:
        """Each stretch with the best tier, clock and type that its category allows."""
        fixed = np.zeros_like(own["category"])
        fixed[np.arange(len(stretches)), [stretch.category for stretch in stretches]] = 1
        best = self._table.decode(own | {"category": fixed}).best | {"type": own["type"].argmax(axis=1)}
        return [
            Part({task: int(best[task][number]) for task in TASKS}, *stretch.longest)
            for number, stretch in enumerate(stretches)
        ]


def _led_by(held: list[Stretch], redline: RedLine | None, whole: str) -> list[Stretch]:
    """The matters with the one that shows the red line first."""
    if redline is None:
        return held
    told = ["".join(whole[start:end] for start, end in stretch.pieces) for stretch in held]
    red = next((n for n, text in enumerate(told) if all(word in text for word in redline.words)), 0)
    return [held[red], *held[:red], *held[red + 1 :]]
