"""Before-images: what a change of a table replaced, on disk before the change counts, so that it can be taken back.

The records of the file: the head; for every piece of rows what was there and what is there now; after that, once it
is committed, a mark. The last record may be torn, for then nothing was committed.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nlp.errors import InputError
from serving.backlog.database.members import member, records

FORMAT = 1


@dataclass(frozen=True)
class Head:
    """What a run changes. run: the plan's id. added: columns that the run adds. piece: rows in one transaction."""

    run: str
    database: str
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    added: tuple[str, ...]
    piece: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Image:
    """A row: its key, the digest of what was decided on, its columns before and after; cells as `kept` makes them."""

    key: list[Any]
    digest: str
    before: list[Any]
    after: list[Any]


@dataclass(frozen=True)
class Piece:
    """The rows of one transaction. left: keys of rows that were not written, with the reason. done: it is committed."""

    number: int
    rows: list[Image]
    left: list[tuple[list[Any], str]]
    done: bool = False


class Images:
    """The file of a run, open to be written on; one process at a time."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.head: Head | None = None
        """None where the file is new."""
        self.done = 0
        """Pieces that are committed."""
        self.doubtful: Piece | None = None
        """The piece of which nobody knows whether it was committed."""
        end = self._read()
        file.truncate(end)
        file.seek(end)

    def begin(self, head: Head) -> None:
        """Write down what is about to be changed."""
        self.head = head
        self._write(asdict(head))

    def add(self, piece: Piece) -> None:
        """Have a piece on disk; only then may it be committed."""
        rows = [[row.key, row.digest, row.before, row.after] for row in piece.rows]
        self._write({"piece": piece.number, "rows": rows, "left": piece.left})

    def mark(self, number: int) -> None:
        """A piece is committed."""
        self._write({"done": number})
        self.done, self.doubtful = number + 1, None

    def _read(self) -> int:
        """Take in what is there; where the last whole record ends."""
        end = 0
        for end, record in records(self._path, self._file):  # noqa: B007 - the last counts
            if self.head is None:
                self.head = _head(self._path, record)
            elif "done" in record:
                self.done, self.doubtful = record["done"] + 1, None
            else:
                self.doubtful = _piece(record)
        return end

    def _write(self, record: dict[str, Any]) -> None:
        try:
            self._file.write(member(record))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._path, error) from error


@contextmanager
def open_images(path: Path) -> Iterator[Images]:
    """The file of a run, made if it is not there, readable for its owner alone; raises `InputError`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        _sync(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    with open(handle, "r+b") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise InputError(place=path, reason="不是普通文件")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(place=path, reason="另一个进程正在改这个表") from error
        yield Images(path, file)


def read_head(path: Path) -> Head:
    """What the run of a file changes; raises `InputError` where it is none."""
    with _opened(path) as file:
        for _, record in records(path, file):
            return _head(path, record)
    raise InputError(place=path, reason="是空的：没有改过任何行")


def read_pieces(path: Path) -> Iterator[Piece]:
    """Every piece once, in order, as it was last written down; raises `InputError` for a damaged file."""
    with _opened(path) as file:
        last: Piece | None = None
        for place, (_, record) in enumerate(records(path, file)):
            if place == 0 or "done" in record:
                last = last and Piece(last.number, last.rows, last.left, done=True)
                continue
            piece = _piece(record)
            if last and last.number != piece.number:
                yield last
            last = piece
        if last:
            yield last


def _head(path: Path, record: dict[str, Any]) -> Head:
    if record.get("format") != FORMAT:
        raise InputError(place=path, reason="不是这个程序能读的撤销文件")
    lists: dict[str, Any] = {name: tuple(record[name]) for name in ("key", "columns", "added")}
    return Head(**(record | lists))


def _piece(record: dict[str, Any]) -> Piece:
    left = [(key, reason) for key, reason in record["left"]]
    return Piece(record["piece"], [Image(*row) for row in record["rows"]], left)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(place=path, reason=f"写不了（{error.strerror}）")


def _sync(folder: Path) -> None:
    """Have the name of a new file on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
