"""A task: one job of a batch as its step sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from serving.batches.batch import Batch
from serving.batches.folder import Folder
from serving.batches.queue import Claimed


@dataclass(frozen=True)
class Task:
    """check: raises where the job is not to be gone on with; a step calls it between two pieces of work."""

    batch: Batch
    folder: Folder
    claimed: Claimed
    check: Callable[[], None]

    def told(self, error: Exception) -> str:
        """An error in words, the file under the name that its sender knows, and no path of this machine."""
        upload = str(self.folder.upload(self.batch.asked.suffix))
        return str(error).replace(upload, self.batch.name).replace(f"{self.folder.path}/", "")
