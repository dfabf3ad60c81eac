"""Back-off: how long to wait before an attempt is made again."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import SystemRandom

FIRST, FACTOR = 1.0, 4.0  # seconds before the second try at most, and by how much each further wait may be longer
FARTHEST = 3600.0  # seconds: nothing waits longer
RANDOM = SystemRandom()


def longest(tries: int) -> float:
    """The longest wait after some tries, in seconds: 1, 4, 16 … up to an hour."""
    return min(FARTHEST, FIRST * math.pow(FACTOR, tries - 1))


def backoff(tries: int, random: Callable[[float, float], float] = RANDOM.uniform) -> float:
    """Seconds to wait after some tries: exponential, with full jitter, so that senders do not come back together.

    Source: Brooker 2015, Exponential Backoff And Jitter (AWS Architecture Blog).
    """
    return random(0.0, longest(tries))
