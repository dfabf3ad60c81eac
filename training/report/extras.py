"""Extras: what only a fit knows, and a report can tell where it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nlp.drift import Drift
from training.curve import Curve
from training.dataset import Dataset
from training.findings import Finding
from training.suspects import Suspect


@dataclass(frozen=True)
class Extras:
    """What a fit found out besides the scores; whatever is none is told in the page as missing, with the reason.

    held_out: one Chinese sentence, how the judged rows were kept apart. day: of the report, today if none.
    threshold: the confidence in force, under which a human is asked. findings: none if nobody looked.
    suspects: task → every row, the likeliest wrong label first. learned: the dataset whose rows the suspects
    count; the judged one if none. cascade: what the encoder costs and brings, as a model's card has it.
    """

    held_out: str = ""
    day: date | None = None
    threshold: float | None = None
    findings: Sequence[Finding] | None = None
    curve: Curve | None = None
    drift: Drift | None = None
    suspects: Mapping[str, Sequence[Suspect]] | None = None
    learned: Dataset | None = None
    cascade: Mapping[str, Any] | None = None
