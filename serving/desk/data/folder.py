"""Folders: where the files of the data desk stand; only their owner may read them.

<home>/desk/uploads/<id>.xlsx    labelled tickets as they were sent, and <id>.json: what is known of them
           /models/<errand>/     what a retraining made
           /reports/<errand>/    its report
           /lists/<errand>.jsonl what is to be labelled next, masked
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.settings import Settings


@dataclass(frozen=True)
class Folder:
    """All of them. Ids are ULIDs, made here; nothing that a browser sends becomes part of a path."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Folder:
        """That of an office."""
        return cls(settings.home / "desk")

    def upload(self, id: str, suffix: str) -> Path:  # noqa: A002
        """A file as it was sent; the suffix is one of those known."""
        return self.root / "uploads" / f"{id}{suffix}"

    def model(self, errand: str) -> Path:
        """The model that a retraining made."""
        return self.root / "models" / errand

    def report(self, errand: str) -> Path:
        """The report of a retraining."""
        return self.root / "reports" / errand

    def list(self, errand: str) -> Path:
        """What is to be labelled next."""
        return self.root / "lists" / f"{errand}.jsonl"

    def make(self) -> None:
        """Make those that are missing."""
        for path in (self.root, *(self.root / name for name in ("uploads", "models", "reports", "lists"))):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
