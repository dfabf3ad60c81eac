"""Wishes: what people may ask of the data desk, checked at the door, as errands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from nlp.errors import InputError
from nlp.registry import versions
from serving.access.who import Who
from serving.desk.data import errands as kinds
from serving.desk.data.uploads import Upload, Uploads
from serving.errands.book import Book
from serving.errands.errand import DONE, Errand
from serving.errors import Clash
from serving.journal.decided import storable
from serving.service import Service

LEAST_REASON = 4  # characters, as `jiesu models promote` wants them
Reason = Annotated[str, Field(max_length=500)]


class NotReady(InputError):
    """{name} 现在还不能用来训练：{fault}"""


class NotYet(Clash):
    """这次训练没有做成，没有模型可换"""


class NoVersion(InputError):
    """没有登记过这个版本；登记过的都列在“模型”一页"""

    path = "version"


class NoReason(InputError):
    """请写明原因（至少 {least} 个字），会记入历史"""

    path = "reason"


class Wish(BaseModel):
    """What all of them have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fit(Wish):
    """Retrain with an upload; corrections, answers: whether what operators corrected and people labelled is added."""

    upload: str
    quick: bool = False
    corrections: bool = False
    answers: bool = False


class Promote(Wish):
    """Put the model of a retraining, or a version of the registry, in use."""

    fit: str = ""
    version: Annotated[str, Field(max_length=200)] = ""
    force: bool = False
    reason: Reason = ""


class Rollback(Wish):
    """Put the version before in use again."""

    reason: Reason


class Freeze(Wish):
    """Draw a test set from an upload."""

    upload: str
    again: bool = False
    reason: Reason = ""


class Next(Wish):
    """Find what to label next in an upload, or among the petitions of the store that nobody was sure of."""

    upload: str = ""
    count: Annotated[int, Field(ge=1, le=500)] = 50


@dataclass(frozen=True)
class Desk:
    """Turns wishes into errands; a reason that somebody typed is masked before anything is made of it."""

    service: Service
    uploads: Uploads
    book: Book

    async def fit(self, wish: Fit, who: Who) -> Errand:
        """Raises `NoUpload`, `NotReady`."""
        upload = await self._ready(wish.upload)
        more = {"quick": wish.quick, "corrections": wish.corrections, "answers": wish.answers}
        return await self.book.put(who, kinds.FIT, upload.name, {**_about(upload), **more})

    async def promote(self, wish: Promote, who: Who) -> Errand:
        """Raises `NoErrand`, `NotYet`, `NoVersion`, `NoReason`."""
        reason = self._reason(wish.reason, needed=wish.force)
        name = await self._trained(wish.fit) if wish.fit else await self._registered(wish.version)
        asked = {**wish.model_dump(), "version": "" if wish.fit else name, "reason": reason}
        return await self.book.put(who, kinds.PROMOTE, name, asked)

    async def _trained(self, fit: str) -> str:
        """What a retraining that was done is called by."""
        errand = await self.book.find(fit, [kinds.FIT])
        if errand.state != DONE:
            raise NotYet
        return errand.name

    async def _registered(self, version: str) -> str:
        """A version of the registry: `jiesu models promote` takes any folder, which a browser must not name."""
        if not version:
            raise InputError(place="version", reason="没有说要换上哪一个")
        if version not in await run_in_threadpool(versions, self.service.settings.home):
            raise NoVersion
        return version

    async def rollback(self, wish: Rollback, who: Who) -> Errand:
        """Raises `NoReason`."""
        return await self.book.put(who, kinds.ROLLBACK, "", {"reason": self._reason(wish.reason, needed=True)})

    async def freeze(self, wish: Freeze, who: Who) -> Errand:
        """Raises `NoUpload`, `NotReady`, `NoReason`."""
        reason = self._reason(wish.reason, needed=wish.again)
        upload = await self._ready(wish.upload)
        more = {"again": wish.again, "reason": reason}
        return await self.book.put(who, kinds.FREEZE, upload.name, {**_about(upload), **more})

    async def next(self, wish: Next, who: Who) -> Errand:
        """Raises `NoUpload`, `NotReady`."""
        about: Mapping[str, Any] = {"upload": "", "suffix": "", "columns": {}}
        name = "没有把握的诉求"
        if wish.upload:
            upload = await self.uploads.find(wish.upload)
            if "text" not in upload.look.chosen:
                raise NotReady(name=upload.name, fault=upload.look.fault)
            about, name = _about(upload), upload.name
        return await self.book.put(who, kinds.NEXT, name, {**about, "count": wish.count})

    def _reason(self, typed: str, *, needed: bool) -> str:
        """A reason as it may be kept: it goes into the history, and stands in the list of processes meanwhile."""
        reason = storable(self.service.office.decider.reader.fields(["", typed]).masked(1)).strip()
        if needed and len(reason) < LEAST_REASON:
            raise NoReason(least=LEAST_REASON)
        return reason

    async def _ready(self, id_: str) -> Upload:
        upload = await self.uploads.find(id_)
        if not upload.ready:
            raise NotReady(name=upload.name, fault=upload.look.fault or "没有标签列")
        return upload


def _about(upload: Upload) -> dict[str, Any]:
    columns = {role: list(names) for role, names in upload.look.chosen.items()}
    return {"upload": upload.id, "suffix": upload.suffix, "columns": columns}
