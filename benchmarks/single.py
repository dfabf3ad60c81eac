"""One petition in process, with evidence."""

from __future__ import annotations

import statistics
import time

from benchmarks.measure import figure, tell
from benchmarks.petitions import decider, letters, options, own


def run() -> None:
    """Print median and 99th percentile over a thousand petitions, one at a time."""
    ready = decider()
    for name, petitions in (("letters", letters()), ("own", own())):
        taken = []
        for petition in petitions[:200] + petitions:
            begun = time.perf_counter()
            ready.decide([petition], options(evidence=True))
            taken.append(1000 * (time.perf_counter() - begun))
        steady = taken[200:]
        tell(figure(f"single.{name}.p50", statistics.median(steady), "ms"))
        tell(figure(f"single.{name}.p99", statistics.quantiles(steady, n=100)[98], "ms"))
