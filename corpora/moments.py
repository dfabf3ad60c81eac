"""Times as offices write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))  # what a time without a zone means
PARTS = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]*(\d{1,2})\s*[:：时]\s*(\d{1,2})(?:\s*[:：分]\s*(\d{1,2})(?:\.\d+)?)?\s*[分秒]?)?"
)
DIGITS = re.compile(r"\d{14}")


def moment(value: str) -> datetime | None:
    """A time as offices write it, in China's zone where it names none; none if it cannot be read."""
    value = value.strip()
    parts = PARTS.fullmatch(value)
    try:
        if parts:
            year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
            found = datetime(year, month, day, hour, minute, second)
        else:
            found = (
                datetime.strptime(value, "%Y%m%d%H%M%S") if DIGITS.fullmatch(value) else datetime.fromisoformat(value)
            )
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=CHINA)
