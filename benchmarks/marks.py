"""How well places and matters are found in the petitions that were written and marked for it."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.measure import figure, tell
from benchmarks.petitions import decider, options
from nlp.petition import Petition
from nlp.place.finder import Finder
from nlp.place.gazetteer import Gazetteer
from nlp.reader import Reader
from nlp.segment import open_segmenter

CORPORA = Path(__file__).parents[1] / "corpora"


def rows(name: str) -> list[dict[str, Any]]:
    """The marked petitions of a file."""
    return [json.loads(line) for line in (CORPORA / name).read_text(encoding="utf-8").splitlines()]


@lru_cache
def finder(gazetteer: str) -> Finder:
    """A finder over one of the gazetteers."""
    return Finder(Gazetteer.read(CORPORA / "places" / f"{gazetteer}.csv"), open_segmenter("rjieba"))


def places(name: str) -> Counter[str]:
    """Counts over a file: places marked and found, alike to the character, overlapping, of the right unit."""
    tally: Counter[str] = Counter()
    for row in rows(name):
        texts = Reader().fields(["", row["text"]]).texts
        found = {texts.source(one.start, one.end): one.area.unit for one in finder(row["gazetteer"]).find(texts)}
        marked = {(place["start"], place["end"]): place["unit"] for place in row["places"]}
        tally["marked"] += len(marked)
        tally["found"] += len(found)
        tally["exact"] += len(found.keys() & marked.keys())
        tally["unit"] += sum(found[span] == marked[span] for span in found.keys() & marked.keys())
        tally["found_right"] += sum(any(a < d and c < b for c, d in marked) for a, b in found)
        tally["marked_found"] += sum(any(a < d and c < b for c, d in found) for a, b in marked)
    return tally


def matters(name: str) -> Counter[str]:
    """Counts over a file: petitions of several matters and of one, main and second matter right, falsely divided."""
    tally: Counter[str] = Counter()
    marked = rows(name)
    decisions = decider().decide(
        [Petition(row["id"], row["text"], row["title"]) for row in marked], options(evidence=False)
    )
    for row, decision in zip(marked, decisions, strict=True):
        wanted = [matter["category"] for matter in row["matters"]]
        found = [matter.category for matter in decision.matters]
        if len(wanted) > 1:
            tally["several"] += 1
            tally["main"] += found[0] == wanted[0]
            tally["second"] += wanted[1] in found[1:]
            tally["listed"] += len(found) - 1
            tally["wrong"] += len(set(found) - set(wanted))
        else:
            tally["one"] += 1
            tally["divided"] += len(found) > 1
    return tally


def run() -> None:
    """Print the shares, open set and kept one."""
    for kind in ("open", "kept"):
        found = places(f"places/{kind}.jsonl")
        for name, part, whole in (
            ("precision", "found_right", "found"), ("recall", "marked_found", "marked"),
            ("precision_exact", "exact", "found"), ("recall_exact", "exact", "marked"), ("unit", "unit", "exact"),
        ):  # fmt: skip
            tell(figure(f"places.{kind}.{name}", found[part], f"of {found[whole]}", found[whole]))
        counted = matters(f"matters/{kind}.jsonl")
        for name, part, whole in (
            ("main", "main", "several"), ("second", "second", "several"), ("wrong", "wrong", "listed"),
            ("divided", "divided", "one"),
        ):  # fmt: skip
            tell(figure(f"matters.{kind}.{name}", counted[part], f"of {counted[whole]}", counted[whole]))
