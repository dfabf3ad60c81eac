"""The outbox: what happened is noted as an event, in the transaction in which it happened, for those who want to know.

So nobody is told of what was taken back, and nothing that happened goes untold (transactional outbox; Richardson 2018,
Microservices Patterns, 3.3.7). `serving.events.sender` does the telling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import orjson
from ulid_transform import bytes_to_ulid, ulid_to_bytes_or_none

from serving.events.deliveries import WAITING
from serving.events.kinds import CORRECTED, DECIDED, DRIFTED, KINDS, PROMOTED, RED_LINE
from serving.events.targets import Target
from serving.journal.unit import Unit
from serving.store.tables import deliveries, events
from serving.times import millis, moment

__all__ = ["CORRECTED", "DECIDED", "DRIFTED", "PROMOTED", "RED_LINE", "Outbox"]


class Outbox:
    """Writes events, and a delivery for each target that wants them.

    targets: whom to tell. source: the `source` of the events, a URI reference. wake: called, from the journal's thread,
    when there is something to send; it is about to be committed then, in the transaction at hand.
    """

    def __init__(
        self, targets: Sequence[Target], source: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._wanted = {kind: [target.name for target in targets if target.wants(kind)] for kind in KINDS}
        self._source = source
        self._clock = clock
        self.wake: Callable[[], None] = lambda: None

    def put(self, unit: Unit, type: str, subject: str, data: bytes) -> None:  # noqa: A002 - CloudEvents' name
        """Note an event about a subject, like a decision's id; `data` is JSON. The same noted again is one event."""
        names = self._wanted.get(type)
        if not names:
            return
        at = millis(self._clock())
        event = event_id(type, subject, data)
        content = cloud_event(event, self._source, type, subject, at, data)
        unit.add(events, {"id": event, "type": type, "at": at, "content": content})
        unit.add(deliveries, *(_delivery(event, name, at) for name in names))
        self.wake()


def event_id(type: str, subject: str, data: bytes) -> str:  # noqa: A002
    """An event's ULID, made of the event itself: a write that is repeated notes nothing new.

    Where the subject is a ULID, the event's id takes its time from it and stands beside it in order.
    """
    digest = hashlib.sha256(orjson.dumps([type, subject]) + data).digest()
    about = ulid_to_bytes_or_none(subject) or digest
    id: str = bytes_to_ulid(about[:6] + digest[6:16])  # noqa: A001
    return id


def cloud_event(id: str, source: str, type: str, subject: str, at: int, data: bytes) -> bytes:  # noqa: A002
    """An event as JSON, in CloudEvents' structured mode (CloudEvents 1.0.2, JSON event format)."""
    return orjson.dumps({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": moment(at, UTC).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": orjson.Fragment(data),
    })  # fmt: skip


def _delivery(event: str, target: str, at: int) -> dict[str, str | int]:
    return {"event": event, "target": target, "state": WAITING, "attempts": 0, "next_at": at, "error": ""}
