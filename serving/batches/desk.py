"""The desk: takes batches in, tells how they stand, hands their files out, and cancels them."""

from __future__ import annotations

import re

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from serving.access.who import Who
from serving.audit.record import Record
from serving.batches import queue
from serving.batches.batch import Batch
from serving.batches.folder import UPLOAD, Folder, root_of
from serving.batches.options import Again, Asked, Options, named, suffix_of
from serving.batches.parts import Held, Part, held
from serving.batches.tidy import DAY
from serving.batches.upload import Upload, received
from serving.door.body import body_of
from serving.errors import Clash, Missing
from serving.feedback import ULID
from serving.journal.unit import Unit
from serving.repeats import Repeat, name_of, once
from serving.service import Service
from serving.times import millis

ULID_FORM = re.compile(ULID)
LISTED = 100  # batches that are told at once


class NoBatch(Missing):
    """没有这一批：编号不对，或者不是这个密钥送来的"""


class NoUpload(Missing):
    """这一批上传的文件已经删去，请重新上传"""


class OldUpload(Missing):
    """这份文件上传已满 {days} 天，不能再用，请重新上传"""


class NoPart(Missing):
    """这一批没有 {part}；现有：{parts}"""


class NotDone(Clash):
    """这一批还没有办完（{state}）{reason}"""


class Desk:
    """What the doors do."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._root = root_of(service.settings)

    async def take(self, request: Request, who: Who) -> Response:
        """Take a batch in; it is told once it is on disk and in the store.

        Raises `InputError` for what can be seen to be wrong at once, `TooLarge`, `Full`, `StoreDown`.
        """
        name_of(request, required=True)
        folder, keep = Folder(self._root, ulid_now()), False
        await run_in_threadpool(folder.make)
        try:
            upload = await received(request, folder.path / UPLOAD, self._service.settings.max_upload)
            batch = self._batch(folder.id, who, upload)

            async def answer(repeat: Repeat | None) -> bytes:
                nonlocal keep
                folder.upload("").rename(folder.upload(batch.asked.suffix))
                keep = True  # from here on it may be in the store, whatever this request still hears of it
                return await self._written(batch, repeat)

            said = orjson.dumps([batch.name, batch.asked.options.model_dump(mode="json"), upload.digest])
            return await once(self._service, request, who, said, answer, required=True)
        finally:
            if not keep:
                await run_in_threadpool(folder.remove)

    async def again(self, request: Request, first: Batch, who: Who) -> Response:
        """Take in the file of an earlier batch once more, with other options; nothing is sent anew.

        It is decided for the moment that the earlier one was, so that what a report promised is what comes.
        However often it is done again, a file's time runs from when it was sent, else it could be kept for ever.
        Raises `InputError`, `NoUpload`, `OldUpload`, `StoreDown`.
        """
        name_of(request, required=True)
        now = millis(self._service.settings.now())
        body = await body_of(request, self._service.settings.max_body)
        options = Again.model_validate_json(body).over(first.asked.options)
        profile = options.profile or self._service.settings.profile
        self._service.office.decider.router.check(profile)
        other = {"options": options, "profile": profile, "origin": first.id, "uploaded": first.uploaded}
        asked = first.asked.model_copy(update=other)
        folder, keep = Folder(self._root, ulid_now()), False
        batch = Batch.new(folder.id, who.key, first.name, asked, now)

        async def answer(repeat: Repeat | None) -> bytes:
            nonlocal keep
            self._check_age(first, now)
            await run_in_threadpool(folder.make)
            if not await run_in_threadpool(folder.share, Folder(self._root, first.id), asked.suffix):
                raise NoUpload
            keep = True
            return await self._written(batch, repeat)

        try:
            return await once(self._service, request, who, body, answer, required=True)
        finally:
            if not keep:
                await run_in_threadpool(folder.remove)

    def _check_age(self, batch: Batch, now: int) -> None:
        """Raise `OldUpload` for a file that was sent so long ago that it would be removed, had nobody used it since."""
        days = self._service.settings.keep_batch_days
        if now - batch.uploaded >= days * DAY:
            raise OldUpload(days=days)

    def _batch(self, id: str, who: Who, upload: Upload) -> Batch:  # noqa: A002
        """The batch that an upload asks for; raises `InputError` for options that cannot be meant."""
        now, settings = self._service.settings.now(), self._service.settings
        name, options = named(upload.name), Options.model_validate(dict(upload.fields))
        profile = options.profile or settings.profile
        self._service.office.decider.router.check(profile)
        at = options.now or now
        at = at if at.tzinfo else at.replace(tzinfo=settings.zone)
        asked = Asked(
            options=options, suffix=suffix_of(name), digest=upload.digest, size=upload.size, profile=profile, now=at
        )
        return Batch.new(id, who.key, name, asked, millis(now))

    async def _written(self, batch: Batch, repeat: Repeat | None) -> bytes:
        reply = orjson.dumps(self.told(batch))
        detail = {"name": batch.name, "digest": batch.asked.digest}
        record = Record(
            id=ulid_now(), at=batch.at, actor=batch.key, action="batch.create", object=batch.id, detail=detail
        )

        def write(unit: Unit) -> None:
            queue.put(unit, batch)
            unit.note(record)
            if repeat:
                repeat.finish(unit, reply)

        await self._service.journal.write(write)
        return reply

    async def find(self, id: str, who: Who) -> Batch:  # noqa: A002
        """A batch of whoever asks; raises `NoBatch`."""
        if not ULID_FORM.fullmatch(id):
            raise NoBatch
        found = await run_in_threadpool(self._service.journal.read, lambda store: queue.find(store, id, who.key))
        if found is None:
            raise NoBatch
        return found

    async def listed(self, who: Who) -> list[dict[str, object]]:
        """What is told of the latest batches of whoever asks."""

        def read() -> list[dict[str, object]]:
            found = self._service.journal.read(lambda store: queue.latest(store, LISTED, who.key))
            return [self.told(batch) for batch in found]

        return await run_in_threadpool(read)

    async def cancel(self, batch: Batch, who: Who) -> Batch:
        """Have a batch ended and its files removed; one that has ended loses its files alone."""
        now = millis(self._service.settings.now())
        record = Record(id=ulid_now(), at=now, actor=who.key, action="batch.cancel", object=batch.id)

        def write(unit: Unit) -> None:
            queue.cancelled(unit, batch.id, now)
            unit.note(record)

        await self._service.journal.write(write)
        await run_in_threadpool(Folder(self._root, batch.id).remove)
        await self._service.journal.write(lambda unit: queue.removed(unit, [batch.id], now))
        return await self.find(batch.id, who)

    async def part(self, batch: Batch, part: Part, who: Who) -> Held:
        """A file of a batch; that it was fetched is noted first. Raises `NotDone`, `NoPart`."""
        if batch.live or batch.reason:
            raise NotDone(state=batch.state, reason=f"：{batch.reason}" if batch.reason else "")
        files = held(batch, Folder(self._root, batch.id))
        if part not in files:
            raise NoPart(part=part.value, parts="、".join(files) or "什么也没有，文件已经删去")
        now, detail = millis(self._service.settings.now()), {"part": part.value}
        record = Record(
            id=ulid_now(),
            at=now,
            actor=who.key,
            action="batch.result",
            object=batch.id,
            model=batch.model,
            detail=detail,
        )
        await self._service.journal.write(lambda unit: unit.note(record))
        return files[part]

    def told(self, batch: Batch) -> dict[str, object]:
        """What is told of a batch."""
        settings = self._service.settings
        parts = [part.value for part in held(batch, Folder(self._root, batch.id))]
        return batch.told(millis(settings.now()), settings.zone, parts)
