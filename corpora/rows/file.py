"""A file that is read more than once and must stay as it was: its bytes in blocks of whole lines, and their digest."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr

from nlp.errors import InputError

BLOCK = 1 << 20  # bytes read at a time
LINE = 64 << 20  # bytes of a line; a longer one belongs to no table
UNREAD: Mapping[type[OSError], str] = {
    FileNotFoundError: "打不开：没有这个文件，请检查路径和文件名",
    IsADirectoryError: "打不开：是文件夹，不是文件",
    PermissionError: "打不开：没有读它的权限",
}


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Whatever the system says against reading a file becomes an `InputError` in Chinese."""
    try:
        yield
    except OSError as error:
        told = next((words for kind, words in UNREAD.items() if isinstance(error, kind)), f"打不开（{error.strerror}）")
        raise InputError(place=path, reason=told) from error


class File:
    """A file as it was when it was opened first; every pass over it finds out if it has changed since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with opening(path), path.open("rb"):
            self._mark = _mark(path)
        self._read = 0

    def share(self) -> float:
        """How much of the file the latest pass has read, from 0 to 1."""
        return min(1.0, self._read / max(1, self._mark[0]))

    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal; raises `InputError` if they changed."""
        with opening(self.path), self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.refuse_changed()
        return digest

    def head(self, size: int) -> bytes:
        """Its first bytes."""
        with opening(self.path), self.path.open("rb") as file:
            return file.read(size)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, cut after line feeds into blocks of about a mebibyte; raises `InputError` for an endless line."""
        with opening(self.path), self.path.open("rb") as file:
            while block := file.read(BLOCK):
                block += file.readline(LINE)
                yield self._checked(block, file.tell(), ended=block.endswith(b"\n"))
        self.refuse_changed()

    def wide(self, encoding: str) -> Iterator[str]:
        """The text of a file in UTF-16 or UTF-32, cut at ends of lines; half a character stays as it is."""
        with opening(self.path), self.path.open("rb") as raw:
            file = io.TextIOWrapper(raw, encoding, errors="surrogatepass", newline="")
            try:
                while piece := file.read(BLOCK):
                    piece += file.readline(LINE)
                    yield self._checked(piece, raw.tell(), ended=piece.endswith(("\n", "\r")))
            except UnicodeError as error:
                raise InputError(place=self.path, reason=f"不是完整的 {encoding} 文件（{error}）") from error
        self.refuse_changed()

    def refuse_changed(self) -> None:
        """Raise `InputError` unless the file is as long, as old and the same as at first."""
        with opening(self.path):
            if _mark(self.path) != self._mark:
                raise InputError(place=self.path, reason="在读的时候变了；请等它写完、不再有人改它，再运行一次")

    def _checked(self, piece: AnyStr, read: int, *, ended: bool) -> AnyStr:
        self.refuse_changed()
        self._read = read
        if not ended and len(piece) >= LINE:
            raise InputError(place=self.path, reason=f"有一行超过 {LINE >> 20} MiB，不像是表格")
        return piece


def _mark(path: Path) -> tuple[int, int, int]:
    """Length in bytes, time of the last change in nanoseconds, and which file of the disk it is."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino
