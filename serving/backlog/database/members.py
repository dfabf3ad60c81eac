"""Members: records of JSON, each a gzip member of its own, so that a file of them can grow and lose only its end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from nlp.errors import InputError

BLOCK = 1 << 20  # bytes
GZIP = 31  # zlib's number for gzip with its head and check sum
LEVEL = 6
MAGIC = b"\x1f\x8b\x08" + bytes(5)  # how every member begins: deflated, without a name, without a time


def member(record: Mapping[str, Any]) -> bytes:
    """A record as it stands in the file; unpacked, it is a line."""
    return gzip.compress(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), LEVEL, mtime=0)


def records(path: Path, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every whole record and where it ends; raises `InputError` for damage other than a torn end."""
    file.seek(0)
    end, rest = 0, b""
    while rest := rest or file.read(BLOCK):
        inflate, parts, size = zlib.decompressobj(GZIP), [], 0
        while not inflate.eof and rest:
            try:
                parts.append(inflate.decompress(rest))
            except zlib.error as error:
                if _is_torn(file, end):
                    return
                raise InputError(place=path, reason=f"已损坏（第 {end} 字节之后）") from error
            size += len(rest) - len(inflate.unused_data)
            rest = inflate.unused_data or file.read(BLOCK)
        if not inflate.eof:
            return
        end += size
        yield end, orjson.loads(b"".join(parts))


def _is_torn(file: BinaryIO, place: int) -> bool:
    """Whether what begins at a place is the last member, of which not all is there.

    Where the machine lost power, zeros may stand for what was not yet on disk.
    """
    file.seek(place)
    rest = file.read()
    return MAGIC.startswith(rest[: len(MAGIC)].rstrip(b"\0")) and MAGIC not in rest[1:]
