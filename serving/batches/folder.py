"""Folders: where the files of a batch stand, and nothing else of it; only their owner may read them.

<home>/batches/<id>/upload.csv   the file as it was sent
                   /plan.json    what settles the run, and the old labels that are weighed
                   /rules/       the office's rules as they were when it began
                   /chunks/      what came of each chunk: its rows with answers, its rejects, its tally
                   /result.csv   …and what stands beside it, as `jiesu batch` writes it; report/
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from serving.settings import Settings

GONE = ".gone-"  # before the name of a folder that is being removed
UPLOAD = "upload"


def root_of(settings: Settings) -> Path:
    """Where all folders stand; several instances must share it."""
    return settings.batches or settings.home / "batches"


def folders(root: Path) -> Iterator[Path]:
    """All folders of batches, those that are being removed too."""
    yield from root.glob("*") if root.is_dir() else ()


@dataclass(frozen=True)
class Folder:
    """The folder of one batch. id: a ULID, made here; nothing that a client sends becomes part of a path."""

    root: Path
    id: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.id

    @property
    def plan(self) -> Path:
        """What settles the run."""
        return self.path / "plan.json"

    @property
    def former(self) -> Path:
        """What was learned of the old labels."""
        return self.path / "former.json"

    @property
    def rules(self) -> Path:
        """The office's rules as they were when the batch began."""
        return self.path / "rules"

    @property
    def report(self) -> Path:
        """The folder of the change report."""
        return self.path / "report"

    def work(self, attempt: int) -> Path:
        """Where chunks are put together; each attempt has a place of its own, for an earlier one may still be at it."""
        return self.path / f"work-{attempt}"

    def slim(self) -> None:
        """Remove what nobody needs any more when the result is there."""
        for path in (self.path / "chunks", *self.path.glob("work-*")):
            shutil.rmtree(path, ignore_errors=True)

    def upload(self, suffix: str) -> Path:
        """The file as it was sent; the suffix is one of those known."""
        return self.path / f"{UPLOAD}{suffix}"

    def result(self, suffix: str) -> Path:
        """What is fetched in the end."""
        return self.path / f"result{suffix}"

    def chunk(self, number: int) -> Path:
        """What came of a chunk: its rows with answers, its rejects and its tally."""
        return self.path / "chunks" / f"{number:08}"

    def make(self) -> None:
        """Make the folder."""
        for path in (self.root, self.path, self.path / "chunks"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def share(self, other: Folder, suffix: str) -> bool:
        """Have the upload of another batch as one's own too, whichever is removed first; false where it is gone."""
        source, target = other.upload(suffix), self.upload(suffix)
        try:
            os.link(source, target)
        except FileNotFoundError:
            return False
        except OSError:  # a file system that knows no links
            draft = target.with_name(f".{target.name}.draft")
            shutil.copyfile(source, draft)
            draft.chmod(0o600)
            draft.replace(target)
        return True

    def remove(self) -> None:
        """Remove it with all it holds: first its name, so that no worker writes into it any more."""
        gone = self.root / f"{GONE}{self.id}"
        try:
            self.path.rename(gone)
        except OSError:
            gone = self.path  # nothing there, or there is what an earlier try left
        shutil.rmtree(gone, ignore_errors=True)


def opened(path: Path) -> BinaryIO:
    """A new file that only its owner may read, for writing."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def written(path: Path, content: bytes) -> None:
    """Write a file whole: another process sees all of it or nothing, whatever happens to this one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with opened(draft) as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
