"""The protocol: what a client may send, and how slowly, before there is a request at all.

The parser under uvicorn keeps whatever a header brings, and uvicorn only times the silence between two requests. Here
the head is bounded, and every message has its time (as in Apache's mod_reqtimeout: more for a body that keeps pace).
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.door.reading import Limits, Part, Reading
from serving.door.refusal import REFUSALS
from serving.metrics import Metrics


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds; a subclass sets other limits, and the metrics that count what is refused."""

    limits: ClassVar[Limits] = Limits()
    metrics: ClassVar[Metrics | None] = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._reading = Reading(self.limits)
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0  # when the clock of this part was started
        self._stall: asyncio.TimerHandle | None = None  # runs while the client does not read its answer
        self._shut = False  # nothing more is read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: it has so long to say something."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503)
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._rest()
        self._resumed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a piece; what is over a limit ends up in `send_400_response`."""
        if self._shut:
            return
        self._reading.feeds(len(data))
        super().data_received(data)
        if self._shut:
            return
        if not self._reading.fed():
            self._refuse(431)
        elif self._timer is None and (self._reading.part is not Part.nothing or not self._busy):
            self._wait()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends no more, but may still read: a whole request is answered before the connection closes."""
        if self._shut or self._reading.part is not Part.nothing or not self._busy or self.scheme == "https":
            return None
        self.cycle.keep_alive = False
        return True

    def handle_websocket_upgrade(self) -> None:
        """From here on the WebSocket's own protocol reads."""
        self._shut = True
        self._rest()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._turn(Part.head)

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        self._reading.line(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer after a chunked body, which must not become a header."""
        self._reading.header(len(name) + len(value) + 4)
        if self._reading.part is Part.head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: uvicorn starts the request, or queues it behind earlier ones of this connection."""
        if len(self.pipeline) >= self.limits.pipelined:
            self._reading.over(503)
        super().on_headers_complete()
        self._turn(Part.body)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._reading.content(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._turn(Part.nothing)

    def on_response_complete(self) -> None:
        """Answered; a client that is still sending may do so for a moment, so that it comes to read the answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()
        elif self._reading.part is Part.body and not self._busy:
            self._rest()
            self._wait()

    def pause_writing(self) -> None:
        """The client does not read its answer: it has so long to begin."""
        super().pause_writing()
        self._stall = self._stall or self.loop.call_later(self.limits.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads."""
        self._resumed()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Silent since the last answer."""
        self._close()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser gives up."""
        self._refuse(self._reading.status)

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _turn(self, part: Part) -> None:
        self._reading.turns(part)
        self._rest()

    def _resumed(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        """Start the clock for the part that is expected."""
        self._since = self.loop.time()
        self._timer = self.loop.call_later(self._reading.allowed(not self._busy), self._expired)

    def _expired(self) -> None:
        self._timer = None
        part, busy = self._reading.part, self._busy
        left = self._since + self._reading.allowed(not busy) - self.loop.time()
        if busy and self.flow.read_paused:  # it is the service that does not read
            self._wait()
        elif part is Part.body and left > 0:
            self._timer = self.loop.call_later(left, self._expired)
        elif part is Part.nothing or (part is Part.body and not busy):
            self._close()
        else:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Read no more; say why, unless an answer is under way; close."""
        self._shut = True
        self._rest()
        if self.metrics:
            self.metrics.refused(f"connection_{status}")
        inside = self._reading.part is Part.body
        if self._busy and not inside:
            self.cycle.keep_alive = False  # what was asked before is answered first, then the connection closes
        elif inside and (not self._busy or self.cycle.response_started or self.pipeline):
            self._close()
        else:
            self._part_from(status)

    def _part_from(self, status: int) -> None:
        """Say why; close once the client has had time to read it: closing over what it still sends would reset it."""
        self.transport.write(REFUSALS[status].wire)
        if self._busy:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if status == 503 or not self.transport.can_write_eof():
            self._close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(self.limits.linger, self.transport.abort)

    def _close(self) -> None:
        """Close, even if the client never reads what is still to be sent."""
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(self.limits.linger, self.transport.abort)
