"""Uploads of the data desk: tickets come in, their columns are looked at, and stay until they are removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from corpora.columns import LEARNED
from nlp.errors import InputError
from serving.access.who import Who
from serving.audit.record import Record
from serving.batches.folder import written
from serving.batches.options import named, suffix_of
from serving.batches.upload import received
from serving.desk.data import notes
from serving.desk.data.folder import Folder
from serving.desk.data.look import Columns, Look
from serving.errors import Missing
from serving.feedback import ULID
from serving.service import Service
from serving.times import millis

ID = re.compile(ULID)


class NoUpload(Missing):
    """没有这份上传的数据：编号不对，或者已经删去"""


class NoTools(InputError):
    """这台机器没有装读表格、训练模型用的包（{name}）；请管理员照 requirements/train.lock 装上（make setup）"""


@dataclass(frozen=True)
class Upload:
    """A file that came, and what is known of it. override: role → columns that somebody chose."""

    id: str
    name: str
    suffix: str
    who: str
    at: int
    size: int
    look: Look
    override: Columns

    @property
    def ready(self) -> bool:
        """Whether something can be learned from it."""
        return self.look.labelled and not self.look.fault

    @property
    def content(self) -> bytes:
        """As it is kept."""
        return orjson.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> Upload:
        """What `content` was."""
        held: dict[str, Any] = orjson.loads(path.read_bytes())
        return cls(**{**held, "look": Look(**held["look"])})


class Uploads:
    """All of them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.folder = Folder.of(service.settings)

    async def take(self, request: Request, who: Who) -> Upload:
        """Take a file in; raises `InputError` for what nobody can read, `TooLarge`, `Full`, `StoreDown`."""
        self.folder.make()
        id_, draft = ulid_now(), self.folder.root / "uploads" / f".{ulid_now()}"
        try:
            came = await received(request, draft, self._service.settings.max_upload)
            name = self._masked(named(came.name))
            path = self.folder.upload(id_, suffix_of(name))
            draft.rename(path)
            upload = Upload(
                id_, name, path.suffix, who.name, millis(self._service.settings.now()), came.size, _nothing(), {}
            )
            try:
                return await self._looked(upload, who, "upload.create")
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        finally:
            draft.unlink(missing_ok=True)

    def _masked(self, name: str) -> str:
        """A name without the numbers of people: it stands in the store and in the audit."""
        stem, dot, suffix = name.rpartition(".")
        return f"{self._service.office.decider.reader.fields(['', stem]).masked(1)}{dot}{suffix}"

    async def choose(self, upload: Upload, override: Columns, who: Who) -> Upload:
        """Take other columns; raises `InputError` for one that is not there."""
        wrong = sorted(override.keys() - set(LEARNED))
        if wrong:
            raise InputError(place=wrong[0], reason=f"没有这个用处；可用：{'、'.join(LEARNED)}")
        return await self._looked(replace(upload, override=override), who, "upload.columns")

    async def _looked(self, upload: Upload, who: Who, action: str) -> Upload:
        try:
            from serving.desk.data.table import looked  # noqa: PLC0415 - loads what whoever only answers can do without
        except ModuleNotFoundError as error:
            raise NoTools(name=error.name) from error
        path = self.folder.upload(upload.id, upload.suffix)
        reader = self._service.office.decider.reader
        try:
            look = await run_in_threadpool(looked, path, upload.override, reader)
        except InputError as error:
            place = str(error.fields["place"]).replace(str(path), upload.name)
            raise InputError(place=place, reason=str(error.fields["reason"]).replace(str(path), upload.name)) from error
        upload = replace(upload, look=look)
        await run_in_threadpool(written, self._told(upload.id), upload.content)
        await self._note(upload, who, action)
        return upload

    async def remove(self, upload: Upload, who: Who) -> None:
        """Remove a file and all that is known of it."""
        await self._note(upload, who, "upload.remove")
        gone = (
            self._told(upload.id), self.folder.upload(upload.id, upload.suffix), self.folder.settled(upload.id),
        )  # fmt: skip
        for path in gone:
            path.unlink(missing_ok=True)

    async def find(self, id: str) -> Upload:  # noqa: A002
        """One of them; raises `NoUpload`."""
        if not ID.fullmatch(id):
            raise NoUpload
        upload = await run_in_threadpool(_held, self._told(id))
        if upload is None:
            raise NoUpload
        return upload

    def all(self) -> list[Upload]:
        """The newest first; one of which nothing can be read is passed over."""
        paths = sorted((self.folder.root / "uploads").glob("*.json"), reverse=True)
        return [upload for path in paths if ID.fullmatch(path.stem) and (upload := _held(path))]

    def settled(self, upload: str) -> Mapping[tuple[str, int], dict[str, Any]]:
        """(task, line) → what was said last of a doubted label."""
        return {(note["task"], note["line"]): note for note in notes.read(self.folder.settled(upload))}

    def _told(self, id_: str) -> Path:
        return self.folder.root / "uploads" / f"{id_}.json"

    async def _note(self, upload: Upload, who: Who, action: str) -> None:
        now, detail = millis(self._service.settings.now()), {"name": upload.name, "size": str(upload.size)}
        record = Record(id=ulid_now(), at=now, actor=who.key, action=action, object=upload.id, detail=detail)
        await self._service.journal.write(lambda unit: unit.note(record))


def _held(path: Path) -> Upload | None:
    """What is known of an upload; none where it is gone, was cut short, or is of another version."""
    try:
        return Upload.read(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _nothing() -> Look:
    return Look(0, (), {}, (), ())
