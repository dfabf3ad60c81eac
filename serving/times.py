"""Times: as the store keeps them, in milliseconds since 1970."""

from __future__ import annotations

from datetime import datetime, tzinfo


def millis(time: datetime) -> int:
    """A time with a zone in whole milliseconds since 1970 (UTC)."""
    return round(time.timestamp() * 1000)


def moment(at: int, zone: tzinfo) -> datetime:
    """The inverse of `millis`, in a zone."""
    return datetime.fromtimestamp(at / 1000, zone)
