"""A petition as it comes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Petition:
    """What a resident said or wrote, as it was sent."""

    id: str
    text: str
    title: str = ""
    channel: str = ""
    location: str = ""
    received_at: datetime | None = None
    phone: str = ""
