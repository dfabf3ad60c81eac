"""Sound: Chinese characters by how they are heard, so that a misheard name is still found."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nlp.files import DATA, read_lines
from nlp.folding import SIZE
from nlp.hashing import Codes
from nlp.text import code_points, written


@lru_cache(maxsize=1)
def sounds() -> NDArray[np.uint32]:
    """(SIZE,) for each code point the first character that is heard like it, or itself."""
    table = np.arange(SIZE, dtype=np.uint32)
    for line in read_lines(DATA / "sounds.txt"):
        alike = code_points(line)
        table[alike] = alike[0]
    return table


def sounded(codes: Codes) -> str:
    """Code points as the text that they sound like, of the same length."""
    return written(sounds()[codes])
