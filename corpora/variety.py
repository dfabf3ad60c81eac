"""How alike texts are: runs of characters in common, and how well they pack."""

from __future__ import annotations

import lzma
import random
from collections import Counter
from itertools import islice

DRAWN = 40_000  # characters


def grams(text: str, size: int) -> set[str]:
    """The runs of `size` characters of a text, each once."""
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def packed(texts: list[str], seed: int) -> float:
    """The LZMA size of texts drawn at random, against their bytes."""
    order = random.Random(seed).sample(texts, len(texts))  # noqa: S311
    drawn = "".join(islice((letter for text in order for letter in text), DRAWN)).encode()
    return len(lzma.compress(drawn, preset=9)) / max(1, len(drawn))


def alike(texts: list[str], size: int, limit: float) -> list[tuple[int, int]]:
    """The pairs of texts whose runs of `size` characters have a Jaccard index of `limit` or more.

    Two such sets share one of the rarest runs of each: of n runs the n - ceil(limit · n) + 1 rarest are
    enough to find every pair (prefix filtering, Chaudhuri et al. 2006).
    """
    sets = [grams(text, size) for text in texts]
    frequency = Counter(gram for each in sets for gram in each)
    holders: dict[str, list[int]] = {}
    found = []
    for number, each in enumerate(sets):
        rarest = sorted(each, key=lambda gram: (frequency[gram], gram))
        near: set[int] = set()
        for gram in rarest[: len(each) - -(-int(limit * 100) * len(each) // 100) + 1]:
            if frequency[gram] > 1:
                near.update(holders.setdefault(gram, []))
                holders[gram].append(number)
        found += [(other, number) for other in near if len(each & sets[other]) >= limit * len(each | sets[other])]
    return found
