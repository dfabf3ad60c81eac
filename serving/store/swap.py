"""Swaps: folders and files that take the place of others together, or not at all."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from types import TracebackType


class Swap:
    """What is to stand at a target: made at `draft` first, beside it on the same disk."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.draft = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
        self.former = self.draft.with_name(f"{self.draft.name}-former")

    def go(self) -> None:
        """Put the draft in its place; what stood there is kept aside."""
        if self.target.exists():
            self.target.rename(self.former)
        self.draft.rename(self.target)

    def back(self) -> None:
        """Undo as much of `go` as was done."""
        if not self.draft.exists() and self.target.exists():
            self.target.rename(self.draft)
        if self.former.exists():
            self.former.rename(self.target)

    def clear(self) -> None:
        """Delete what is not in its place."""
        _remove(self.draft)
        _remove(self.former)


class Swaps:
    """Several swaps, as a context: where its body fails after `go`, all are taken back."""

    def __init__(self) -> None:
        self._swaps: list[Swap] = []
        self._gone: list[Swap] = []

    def add(self, swap: Swap) -> None:
        """One more, whose draft may be still to be made."""
        self._swaps.append(swap)

    def go(self) -> None:
        """Put all drafts in their places."""
        for swap in self._swaps:
            self._gone.append(swap)
            swap.go()

    def __enter__(self) -> Swaps:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None:
            for swap in reversed(self._gone):
                swap.back()
        for swap in self._swaps:
            swap.clear()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
