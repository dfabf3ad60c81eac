"""A target: what a run writes into, and what the manifest is to tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serving.backlog.sink import Sink


@dataclass(frozen=True)
class Target:
    """A sink; more: what the manifest tells of it besides, asked once it is made."""

    sink: Sink
    more: Callable[[], Mapping[str, Any]] = dict
