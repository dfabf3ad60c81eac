"""Flows: how often one word led to another, in bounded memory, whatever the order of counting."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

MOST = 5000  # words that flows begin with; more are counted together
OVERFLOW = "（其余）"
Numbers = list[int]
Flows = dict[str, dict[str, Numbers]]
"""from → to → numbers, all equally many within one `Flows`."""


def numbers(flows: Flows, source: str, target: str, width: int = 1) -> Numbers:
    """The numbers of a flow, to be added to in place; all zero where it is new."""
    targets = flows.get(source)
    if targets is None:
        targets = flows[source] = {}
    held = targets.get(target)
    if held is None:
        held = targets[target] = [0] * width
    return held


def add(flows: Flows, others: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
    """Add other flows to these."""
    for source, targets in others.items():
        for target, added in targets.items():
            held = numbers(flows, source, target, len(added))
            for place, number in enumerate(added):
                held[place] += number


def bound(flows: Flows, most: int = MOST) -> None:
    """Count all but `most` words under `OVERFLOW`.

    Those stay whose hashes are least: of whatever was counted, in whichever order and parts, the same words stay and
    each of them was never dropped before, so that its numbers are whole.
    """
    words = [word for word in flows if word != OVERFLOW]
    if len(words) <= most:
        return
    for word in sorted(words, key=_hash)[most:]:
        add(flows, {OVERFLOW: flows.pop(word)})


def total(flows: Mapping[str, Mapping[str, Numbers]], place: int = 0) -> int:
    """The sum of one of the numbers over all flows."""
    return sum(numbers[place] for targets in flows.values() for numbers in targets.values())


def _hash(word: str) -> bytes:
    return hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=16).digest()
