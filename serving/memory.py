"""Memory: what lives as long as the process is taken out of the garbage collector's rounds."""

from __future__ import annotations

import gc

ALLOCATIONS = 50_000  # a batch of 1,024 decisions makes tens of thousands of objects, all of them soon gone


def settle() -> None:
    """Call once when model and rules are built; batches then cause no full rounds over them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 50, 100)
