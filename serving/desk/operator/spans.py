"""Spans: what of a petition is hidden, and what of it touched a red line, in the offsets of the fields as sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nlp.features import FIELDS
from nlp.reader import Reading
from nlp.redline import RedLine


@dataclass(frozen=True, slots=True)
class Span:
    """`start:end` in code points of a field; text: what stands there instead, where it is hidden."""

    field: str
    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A red line that a petition touches, and the words that show it."""

    kind: str
    name: str
    spans: list[Span]


def masks(reading: Reading) -> list[Span]:
    """What is hidden of the one petition of a reading; none overlap, as in `nlp.text.replaced`."""
    return [span for number, field in enumerate(FIELDS) for span in _hidden(reading, number, field)]


def _hidden(reading: Reading, number: int, field: str) -> Iterator[Span]:
    reached = 0
    for start, end, text in sorted(reading.personal.get(number, ()), key=lambda edit: (edit.start, -edit.end)):
        if start >= reached:
            yield Span(field, start, end, text)
            reached = end


def alarm(reading: Reading, redline: RedLine | None) -> Alarm | None:
    """The red line of the one petition of a reading."""
    if redline is None:
        return None
    texts = reading.texts
    spans = [Span(FIELDS[texts.field(start) & 1], *texts.source(start, end)) for start, end in redline.spans]
    return Alarm(redline.kind, redline.name, spans)
