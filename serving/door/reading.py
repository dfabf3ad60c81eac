"""Reading: how much of a message a client has sent so far, and when it is too much."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Limits:
    """What one connection may cost: sizes in bytes, times in seconds, and how many connections a process holds.

    body_rate: bytes that earn a body one second more. linger: how long an answered client may go on sending.
    connections: under the 1,024 open files that many systems give a process.
    """

    line: int = 8 * 1024
    head: int = 32 * 1024
    headers: int = 100
    head_seconds: float = 10
    body_seconds: float = 30
    body_rate: int = 64 * 1024
    linger: float = 5
    pipelined: int = 16
    connections: int = 900


class Part(Enum):
    """What of a message is expected next."""

    nothing = 0
    head = 1
    body = 2


class TooMuch(Exception):
    """Raised through the parser: what was sent is over a limit; the status of the `Reading` says which."""


class Reading:
    """Counts what one connection brings, message by message; raises `TooMuch`."""

    __slots__ = ("_feeding", "_head", "_headers", "_idle", "_limits", "_line", "body", "part", "status")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.part = Part.nothing
        self.body = 0  # bytes of the body so far
        self.status = 400  # why the parser gave up: what cannot be read, unless a limit was passed
        self._line = self._head = self._headers = 0
        self._feeding = 0  # bytes in the piece that is being parsed
        self._idle = 0  # bytes since the last ones that moved the message on

    def feeds(self, size: int) -> None:
        """A piece of so many bytes is about to be parsed."""
        self._feeding = size

    def fed(self) -> bool:
        """Whether the piece was bearable: a header, trailer or chunk extension without an end brings nothing."""
        if self.part is not Part.nothing:
            self._idle += self._feeding
        return self._idle <= self._limits.head

    def turns(self, part: Part) -> None:
        """The message moved on to another part."""
        self.part = part
        self._idle = -self._feeding
        if part is Part.head:
            self._line = self._head = self._headers = self.body = 0

    def line(self, size: int) -> None:
        """A piece of the request line."""
        self._line += size
        self._head += size
        if self._line > self._limits.line:
            self.over(414)

    def header(self, size: int) -> None:
        """A header, or a trailer, of so many bytes."""
        self._head += size
        self._headers += 1
        if self._head > self._limits.head or self._headers > self._limits.headers:
            self.over(431)

    def over(self, status: int) -> None:
        """Stop the parser, for a reason that this status names."""
        self.status = status
        raise TooMuch

    def content(self, size: int) -> None:
        """A piece of the body."""
        self.body += size
        self._idle = -self._feeding

    def allowed(self, answered: bool) -> float:
        """Seconds that the part may take, as things stand."""
        if self.part is not Part.body:
            return self._limits.head_seconds
        return self._limits.linger if answered else self._limits.body_seconds + self.body / self._limits.body_rate
