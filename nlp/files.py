"""Data that ships beside the code: found by name, read as text lines or TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from nlp.errors import RefusedData

DATA = Path(__file__).parent / "data"
RULES = Path(__file__).parent / "rules"


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without blank lines and `#` comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_toml(path: Path) -> dict[str, Any]:
    """One TOML file; raises `RefusedData` with the file and the line of a syntax error."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RefusedData(file=path, reason=error) from error
