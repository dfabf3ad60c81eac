"""The post: one attempt to tell a target, at an address that was looked up and checked for this attempt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial

import httpx
from anyio import CapacityLimiter, to_thread

from serving.events.reach import OutOfReach, host_of, resolve
from serving.events.signature import signed
from serving.events.targets import Target, Targets

PATIENCE = 10.0  # seconds for a whole attempt, whatever the other side does
CONNECT = 3.0  # of them for one connection
AT_ONCE = 8  # attempts at one target at the same time
BODY = 1.0  # of them for the answer's body
READ = 1024  # bytes of it
LONGEST_ERROR = 200
PORTS = {"http": 80, "https": 443}
HEADERS = {
    "content-type": "application/cloudevents+json; charset=utf-8",
    "user-agent": "jiesu",
    "accept-encoding": "identity",
}
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Reply:
    """What came back: the status (0: nothing came), what went wrong, when to come back (seconds), its first bytes."""

    status: int = 0
    error: str = ""
    retry_after: float = 0.0
    body: bytes = field(default=b"", repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the target has it."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class _Line:
    """What belongs to one target alone: its connections, and the threads that look its name up."""

    client: httpx.AsyncClient
    threads: CapacityLimiter


class Post:
    """Sends events to targets. resolve: looks a host's addresses up, in a thread. patience: seconds for an attempt."""

    def __init__(self, targets: Targets, resolve: Resolve = resolve, patience: float = PATIENCE) -> None:
        self._reach = targets.reach
        self._resolve = resolve
        self._patience = patience
        self._lines = {target.name: _line(target) for target in targets.target}
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells whole URLs, in which there may be a key

    async def send(self, target: Target, event: str, body: bytes, now: float) -> Reply:
        """One attempt, of which every failure is told in the reply; `now` is in seconds since 1970."""
        headers = {**HEADERS, **signed(target.key, event, int(now), body), "host": target.address.netloc.decode()}
        try:
            async with asyncio.timeout(self._patience):
                return await self._send(target, headers, body, now)
        except (TimeoutError, httpx.TimeoutException):
            return Reply(error=f"超时（{self._patience:g} 秒）")
        except OutOfReach as error:
            return Reply(error=_short(str(error)))
        except Exception as error:  # one target's trouble, of whatever kind, is never the sender's
            return Reply(error=_short(f"连不上：{type(error).__name__}：{error}"))

    async def close(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            await line.client.aclose()

    async def _send(self, target: Target, headers: dict[str, str], body: bytes, now: float) -> Reply:
        line, url, host = self._lines[target.name], target.address, host_of(target.address)
        port = url.port or PORTS[url.scheme]
        look_up = partial(self._resolve, host, port)
        found = await to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=line.threads)
        *others, last = self._reach.within(host, found)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await _posted(line.client, url, address, headers, body, now)
        return await _posted(line.client, url, last, headers, body, now)


def _line(target: Target) -> _Line:
    client = httpx.AsyncClient(
        verify=target.trust() if target.address.scheme == "https" else False,
        trust_env=False,  # a proxy would look the name up anew
        follow_redirects=False,
        timeout=httpx.Timeout(PATIENCE, connect=CONNECT),
        limits=httpx.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=AT_ONCE),
    )
    return _Line(client, CapacityLimiter(AT_ONCE))


async def _posted(
    client: httpx.AsyncClient, url: httpx.URL, address: str, headers: dict[str, str], body: bytes, now: float
) -> Reply:
    """The answer of one address, which is asked under the name of its host."""
    names = {"sni_hostname": host_of(url)}
    place = url.copy_with(host=address)
    async with client.stream("POST", place, content=body, headers=headers, extensions=names) as response:
        begun = await _beginning(response)
    error = "" if response.is_success else f"HTTP {response.status_code}"
    later = seconds_of(response.headers.get("retry-after", ""), now)
    return Reply(response.status_code, error, later, begun)


async def _beginning(response: httpx.Response) -> bytes:
    """The first bytes of an answer, as many as come while they are waited for: its status has told the rest."""
    begun = b""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(BODY):
            async for part in response.aiter_raw():
                begun += part
                if len(begun) >= READ:
                    break
    return begun[:READ]


def seconds_of(retry_after: str, now: float) -> float:
    """The seconds that a Retry-After header asks for: a number or a date (RFC 9110, 10.2.3); 0 for anything else."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    with suppress(TypeError, ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    return 0.0


def _short(error: str) -> str:
    """An error as it may be kept: one line, not long, without what PostgreSQL cannot hold."""
    return " ".join(error.replace("\0", "").split())[:LONGEST_ERROR]
