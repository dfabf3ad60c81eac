"""Run the benchmarks: `python -m benchmarks [NAME …] [--soak]`, one JSON object a line."""

from __future__ import annotations

import sys

from benchmarks import (
    backlog,
    batch,
    calls,
    desk,
    former,
    growth,
    http,
    labelling,
    load,
    marks,
    overview,
    retraining,
    routing,
    single,
)

PARTS = {
    "batch": batch.run, "single": single.run, "http": http.run, "growth": growth.run, "routing": routing.run,
    "marks": marks.run,
}  # fmt: skip
# They train models or fill a large store, for minutes or a quarter of an hour: by name only.
LONG = {
    "load": load.run,
    "desk": desk.run,
    "labelling": labelling.run,
    "retraining": retraining.run,
    "calls": calls.run,
    "former": former.run,
    "backlog": backlog.run,
    "overview": overview.run,
}


def main(words: list[str]) -> None:
    """Run the parts named, or all; `--soak` runs the long forms of growth alone."""
    if "--soak" in words:
        growth.run(soak=True)
        backlog.run(soak=True)
        return
    for name in words or list(PARTS):
        (PARTS | LONG)[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
