"""A cell as text."""

from __future__ import annotations

from typing import Any

from nlp.reader import SURROGATES
from nlp.text import REPLACEMENT


def text(value: Any) -> str:
    """A cell as text: nothing is empty, whole numbers lose the `.0` of spreadsheets, a list of one is what it holds.

    Half a character, which JSON can hold and no file can, becomes U+FFFD.
    """
    if isinstance(value, list) and len(value) < 2:
        value = value[0] if value else None
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return SURROGATES.sub(REPLACEMENT, str(value))


def is_blank(value: Any) -> bool:
    """Whether a cell shows nothing."""
    return value is None or (isinstance(value, str) and not value.strip())
