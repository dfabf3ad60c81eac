"""Folders: where the files of the data desk stand; only their owner may read them.

<home>/desk/uploads/<upload>.xlsx    tickets as they were sent
                   /<upload>.json    what is known of them
                   /<upload>.settled.jsonl  labels of theirs that somebody has changed, or kept against a doubt
           /models/<errand>/<name>/  what a retraining made
           /reports/<errand>/        its report, and the masked texts of the rows whose labels it doubts
           /rows/<errand>/           what it learns from, put together; removed when it is over
           /lists/<errand>.jsonl     what is to be labelled next, masked
                 /<errand>.answers.jsonl  the answers of people
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.settings import Settings

PARTS = ("uploads", "models", "reports", "rows", "lists")
ANSWERS = ".answers.jsonl"


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

    def settled(self, upload: str) -> Path:
        """What people have said of doubted labels of an upload."""
        return self.root / "uploads" / f"{upload}.settled.jsonl"

    def models(self, errand: str) -> Path:
        """Where the model of a retraining stands, in a folder of its own name."""
        return self.root / "models" / errand

    def report(self, errand: str) -> Path:
        """The report of a retraining."""
        return self.root / "reports" / errand

    def suspects(self, errand: str) -> Path:
        """The rows whose labels the report doubts, masked."""
        return self.report(errand) / "suspects.jsonl"

    def rows(self, errand: str) -> Path:
        """The folder of what a retraining learns from, put together for it."""
        return self.root / "rows" / errand

    def listed(self, errand: str) -> Path:
        """What is to be labelled next."""
        return self.root / "lists" / f"{errand}.jsonl"

    def answers(self, errand: str) -> Path:
        """What people have labelled of it."""
        return self.root / "lists" / f"{errand}{ANSWERS}"

    def all_answers(self) -> list[Path]:
        """Those of all lists."""
        return sorted((self.root / "lists").glob(f"*{ANSWERS}"))

    def make(self) -> None:
        """Make those that are missing."""
        for path in (self.root, *(self.root / name for name in PARTS)):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
