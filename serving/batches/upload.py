"""Uploads: a file is written to disk while it comes, as a form's part or as the body itself."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fastapi import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from nlp.errors import InputError, JiesuError
from serving.batches.folder import opened
from serving.door.body import length_of, pieces_of
from serving.errors import Malformed

FORM = "multipart/form-data"
PIECE = 1024 * 1024  # bytes that are written at a time, in a thread
MOST_FIELDS = 20
MOST_BYTES = 64 * 1024  # of all fields but the file
TIMES, FULL = 3, frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # a file needs space for chunks and result too


class Full(JiesuError):
    """放不下：服务的磁盘满了，请联系管理员，腾出空间再传"""


class NotAForm(Malformed):
    """表单读不了：{reason}"""


@dataclass(frozen=True)
class Upload:
    """What came. name: of the file, as the client calls it; digest: SHA-256 of its content; size in bytes."""

    name: str
    fields: Mapping[str, str]
    digest: str
    size: int


class Writing:
    """A file that is being written."""

    def __init__(self, path: Path) -> None:
        self._out = opened(path)
        self._sum = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        """Add to it; raises `Full`."""
        try:
            self._out.write(content)
        except OSError as error:
            raise told(error) from error
        self._sum.update(content)
        self.size += len(content)

    def close(self) -> None:
        """Put it on disk; raises `Full`."""
        try:
            with self._out:
                self._out.flush()
                os.fsync(self._out.fileno())
        except OSError as error:
            raise told(error) from error

    def upload(self, name: str, fields: Mapping[str, str]) -> Upload:
        """What has come, when all of it has."""
        return Upload(name, fields, self._sum.hexdigest(), self.size)


def told(error: OSError) -> Exception:
    """The error as the client hears of it."""
    return Full() if error.errno in FULL else error


class Taking(Protocol):
    """Takes a body piece by piece; used in threads, by one at a time."""

    def take(self, piece: bytes) -> None:
        """The next piece."""
        ...

    def end(self) -> Upload:
        """That was all."""
        ...


class Plain:
    """A body that is the file itself; its name and the options stand in the address."""

    def __init__(self, writing: Writing, given: Mapping[str, str]) -> None:
        self._writing = writing
        self._given = dict(given)
        self._name = self._given.pop("filename", "")

    def take(self, piece: bytes) -> None:
        """The next piece of the file."""
        self._writing.write(piece)

    def end(self) -> Upload:
        """The whole of it."""
        return self._writing.upload(self._name, self._given)


class Form:
    """A form: one part is the file, the others are options."""

    def __init__(self, writing: Writing, given: Mapping[str, str], boundary: str) -> None:
        self._writing = writing
        self._fields = {name: value.encode() for name, value in given.items()}
        self._name: str | None = None
        self._now = ""  # the field that is being read; empty: the file
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=MOST_FIELDS, strict=True)
        except MultipartError as error:
            raise NotAForm(reason=str(error)) from error

    def take(self, piece: bytes) -> None:
        """The next piece of the form; raises `NotAForm`."""
        try:
            for event in self._parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event:
                    self._add(bytes(event))
        except MultipartError as error:
            raise NotAForm(reason=str(error)) from error

    def end(self) -> Upload:
        """The whole of it; raises `NotAForm` where its end is missing."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise NotAForm(reason="没有发完") from error
        try:
            fields = {name: value.decode() for name, value in self._fields.items()}
        except UnicodeDecodeError as error:
            raise NotAForm(reason="不是 UTF-8 编码") from error
        return self._writing.upload(self._name or "", fields)

    def _begin(self, part: MultipartSegment) -> None:
        name = part.name or ""
        if part.filename is not None or name == "file":
            if self._name is not None:
                raise InputError(place="file", reason="一次只收一个文件")
            self._name, self._now = part.filename or "", ""
            return
        if not name or name in self._fields:
            raise InputError(place=name or "表单", reason="同一项给了两次" if name else "有一项没有名字")
        self._fields[name], self._now = b"", name

    def _add(self, content: bytes) -> None:
        if not self._now:
            self._writing.write(content)
            return
        self._fields[self._now] += content
        if sum(map(len, self._fields.values())) > MOST_BYTES:
            raise InputError(place=self._now, reason=f"文件以外的各项合计超过 {MOST_BYTES} 字节")


async def received(request: Request, path: Path, limit: int) -> Upload:
    """Write what a request brings to a path; raises `TooLarge`, `Full`, `NotAForm`, `BrokenOff`, `InputError`."""
    room(path.parent, length_of(request) or 0, limit)
    writing = Writing(path)
    try:
        taking = taking_of(request, writing)
        waiting = bytearray()
        async for piece in pieces_of(request, limit):
            waiting += piece
            if len(waiting) >= PIECE:
                await run_in_threadpool(taking.take, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(taking.take, bytes(waiting))
        upload = taking.end()
    finally:
        await run_in_threadpool(writing.close)
    if not upload.size:
        raise InputError(place=upload.name or "文件", reason="是空的")
    return upload


def taking_of(request: Request, writing: Writing) -> Taking:
    """How the body of a request is to be taken; raises `NotAForm`."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    given = dict(request.query_params)
    return Form(writing, given, options.get("boundary", "")) if kind == FORM else Plain(writing, given)


def room(folder: Path, length: int, limit: int) -> None:
    """Raise `Full` where a file of this length, if it is let in at all, would leave no space for its result."""
    if length <= limit and shutil.disk_usage(folder).free < TIMES * length:
        raise Full
