"""Choose the vocabulary: words and character runs that stand in enough petitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlp.features import Tokens
from nlp.text import Texts
from nlp.vocabulary import Vocabulary

RARE = 2  # a feature of a single petition says nothing about the next


def choose(texts: Texts, tokens: Tokens, rare: int = RARE) -> tuple[Vocabulary, NDArray[np.float32]]:
    """The features of at least `rare` petitions, in the order of their strings, and their idf.

    idf = ln((1 + petitions) / (1 + petitions that hold it)) + 1, as scikit-learn smooths it.
    """
    keys, first, inverse = np.unique(tokens.key, return_index=True, return_inverse=True)
    petitions = len(texts) // 2
    cells = np.unique(inverse * petitions + tokens.row)
    frequency = np.bincount(cells // petitions, minlength=len(keys))
    kept = np.flatnonzero(frequency >= rare)
    whole = texts.whole
    strings = [whole[tokens.start[at] : tokens.end[at]] for at in first[kept]]
    is_gram = first[kept] >= tokens.words
    order = sorted(range(len(kept)), key=lambda index: (bool(is_gram[index]), strings[index]))
    words = tuple(strings[index] for index in order if not is_gram[index])
    grams = tuple(strings[index] for index in order if is_gram[index])
    idf = np.log((1 + petitions) / (1 + frequency[kept][order])) + 1
    return Vocabulary(words, grams), idf.astype(np.float32)
