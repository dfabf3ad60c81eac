"""What the rules of a run were, as one digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nlp.files import RULES


def rules_digest(office: Path | None) -> str:
    """SHA-256 over the names and contents of the shipped rule files and the office's own, in hexadecimal."""
    found = hashlib.sha256()
    for folder in [RULES, *([office] if office else [])]:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(folder).as_posix()}\n{content}\n".encode())
    return found.hexdigest()
