"""Run the benchmarks: `python -m benchmarks [NAME …] [--soak]`, one JSON object a line."""

from __future__ import annotations

import sys

from benchmarks import batch, growth, http, marks, routing, single

PARTS = {
    "batch": batch.run, "single": single.run, "http": http.run, "growth": growth.run, "routing": routing.run,
    "marks": marks.run,
}  # fmt: skip


def main(words: list[str]) -> None:
    """Run the parts named, or all; `--soak` runs the long form of growth alone."""
    if "--soak" in words:
        growth.run(soak=True)
        return
    for name in words or list(PARTS):
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
