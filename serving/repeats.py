"""Repeats: a request with an Idempotency-Key is done once, however often it comes (draft-ietf-httpapi-idempotency-key).

That it was done is written in the transaction that does it, so that a process killed in between leaves either both or
nothing. Whoever dies before loses the key to the next try once the time of a request is over.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Row, select
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.access.who import Who
from serving.audit.record import digest_of
from serving.errors import Clash, Malformed
from serving.journal.unit import Unit
from serving.service import Service
from serving.store import tables
from serving.times import millis

HEADER = "idempotency-key"
NAME = re.compile(r"[!-~]{1,200}")
GRACE = 10_000  # milliseconds beyond the time of a request, after which nobody is at it any more
REPLAYED = {"idempotency-replayed": "true"}


class MissingName(Malformed):
    """这个接口须带 Idempotency-Key 头"""


class BadName(Malformed):
    """Idempotency-Key 须为 1–200 个可见 ASCII 字符"""


class OtherBody(InputError):
    """这个 Idempotency-Key 已经用在另一个请求上"""


class InFlight(Clash):
    """同一个 Idempotency-Key 的请求还在办理，请稍后再试"""


@dataclass
class Repeat:
    """A request that is at work under its key; `finish` it in the transaction of what it does.

    finished: whether its answer was kept.
    """

    key: str
    name: str
    owner: str
    finished: bool = False

    def finish(self, unit: Unit, body: bytes) -> None:
        """Keep the answer; raises `InFlight` where another try has taken over meanwhile."""
        mine = self._mine(tables.requests.c.owner == self.owner)
        done = unit.connection.execute(tables.requests.update().where(*mine).values(status=200, content=body))
        if not done.rowcount:
            raise InFlight
        self.finished = True

    def release(self, unit: Unit) -> None:
        """Forget a try that failed, so that the next one may be another."""
        mine = self._mine(tables.requests.c.owner == self.owner, tables.requests.c.status.is_(None))
        unit.connection.execute(tables.requests.delete().where(*mine))

    def _mine(self, *more: Any) -> tuple[Any, ...]:
        return (tables.requests.c.key == self.key, tables.requests.c.name == self.name, *more)

    def begin(self, unit: Unit, asked: str, now: int, over: int) -> bytes | None:
        """Take the key; the first answer where it is there already. Raises `OtherBody`, `InFlight`.

        asked: the digest of the request. now: milliseconds. over: tries that began before are given up.
        """
        row = {"key": self.key, "name": self.name, "digest": asked, "owner": self.owner, "begun_at": now}
        if unit.put(tables.requests, row):
            return None
        found: Row[Any] = unit.connection.execute(select(tables.requests).where(*self._mine()).with_for_update()).one()
        if found.digest != asked:
            raise OtherBody
        if found.status is not None:
            return bytes(found.content)
        if found.owner != self.owner:
            self._take_over(unit, found.begun_at < over, now)
        return None

    def _take_over(self, unit: Unit, given_up: bool, now: int) -> None:
        if not given_up:
            raise InFlight
        values = {"owner": self.owner, "begun_at": now}
        unit.connection.execute(tables.requests.update().where(*self._mine()).values(values))


Answer = Callable[[Repeat | None], Awaitable[bytes]]


def name_of(request: Request, *, required: bool = False) -> str | None:
    """The key of a request, if it has one; raises `MissingName`, `BadName`, before a large body need be read."""
    name = request.headers.get(HEADER)
    if name is None and required:
        raise MissingName
    if name is not None and not NAME.fullmatch(name):
        raise BadName
    return name


async def once(service: Service, request: Request, who: Who, body: bytes, answer: Answer, *,
               required: bool = False) -> Response:  # fmt: skip
    """Answer a request, or repeat the first answer to its key.

    body: what makes it another request; of an upload, which nobody holds whole, a digest will do.
    answer: does what is asked and gives the reply; where it gets a `Repeat`, it may finish it in its own transaction.
    """
    name = name_of(request, required=required)
    if name is None:
        return _json(await answer(None))
    repeat = Repeat(who.key, name, ulid_now())
    asked = digest_of(b"\n".join((request.method.encode(), request.url.path.encode(), body)))
    now = millis(service.settings.now())
    over = now - round(1000 * service.settings.request_seconds) - GRACE
    first = await service.journal.write(lambda unit: repeat.begin(unit, asked, now, over))
    if first is not None:
        return _json(first, REPLAYED)
    try:
        reply = await answer(repeat)
    except BaseException:
        await service.journal.write(repeat.release)
        raise
    if not repeat.finished:
        await service.journal.write(lambda unit: repeat.finish(unit, reply))
    return _json(reply)


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, media_type="application/json", headers=headers)
