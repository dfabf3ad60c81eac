"""The service with its store under a steady load, then under three times that: latency, errors, shedding, recovery.

Requests come at their times whether earlier ones are answered or not (an open loop: waiting for the server would hide
its slowness; Tene 2013, “coordinated omission”), from as many connections as a hotline has seats.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.http import served
from benchmarks.measure import figure, tell
from benchmarks.petitions import own

PORT, CLIENTS = 8073, 64
CROWD = 3 * CLIENTS  # clients of the overload: as many as before would wait for each other, and ask no faster
RATE, SECONDS = 500, 60  # the goal: decisions a second, sustained
OVERLOAD, OVERLOAD_SECONDS = 3, 20
RECOVERY = 5.0  # seconds


@dataclass
class Seen:
    """What the clients saw. taken: (seconds since the start, milliseconds) of each answer; statuses: how many of each.

    advised: answers that were sheds and said when to come again.
    """

    taken: list[tuple[float, float]] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    advised: int = 0
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the decisions was answered."""
        return statistics.quantiles((ms for _, ms in self.taken), n=1000)[round(1000 * share) - 1]


def bodies() -> list[bytes]:
    """Requests of one petition each, as they go over the wire."""
    requests = []
    for petition in own():
        sent = {"id": petition.id, "title": petition.title, "text": petition.text, "phone": "13800138000"}
        body = json.dumps({"petitions": [sent]}, ensure_ascii=False).encode()
        lines = (
            "POST /v1/decisions HTTP/1.1",
            "host: x",
            "content-type: application/json",
            f"content-length: {len(body)}",
        )
        requests.append("\r\n".join((*lines, "", "")).encode() + body)
    return requests


async def client(port: int, queue: asyncio.Queue[tuple[float, bytes] | None], seen: Seen, begun: float) -> None:
    """One connection: takes what is due next, sends it, and waits for the answer."""
    reader = writer = None
    while (due := await queue.get()) is not None:
        at, request = due
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            seen.statuses[type(error).__name__] += 1
            reader = writer = None
            continue
        status = head[9:12].decode()
        seen.statuses[status] += 1
        if status == "200":
            now = time.perf_counter()
            seen.taken.append((at - begun, 1000 * (now - at)))
        elif b"retry-after" in head.lower():
            seen.advised += 1
        if b"connection: close" in head.lower():
            writer.close()
            reader = writer = None
    if writer:
        writer.close()


async def load(port: int, rate: float, seconds: float, requests: Sequence[bytes], clients: int = CLIENTS) -> Seen:
    """Requests at a rate for some time; back when the last one is answered."""
    seen, queue = Seen(), asyncio.Queue[tuple[float, bytes] | None]()
    begun = time.perf_counter()
    seats = [asyncio.create_task(client(port, queue, seen, begun)) for _ in range(clients)]
    for number in range(round(rate * seconds)):
        at = begun + number / rate
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        queue.put_nowait((at, requests[number % len(requests)]))
    for _ in seats:
        queue.put_nowait(None)
    await asyncio.gather(*seats)
    seen.seconds = time.perf_counter() - begun
    return seen


def memory(root: int) -> float:
    """MiB that a process and its children hold, shared pages counted once each where they are used."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    total = 0.0
    for process in (root, *map(int, children)):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(rollup.split("\nPss:")[1].split()[0]) / 1024
    return total


def recovered(after: Seen, usual: float) -> float:
    """The seconds until answers are as before: no later second has a median over the usual 99th percentile."""
    seconds: dict[int, list[float]] = {}
    for at, ms in after.taken:
        seconds.setdefault(int(at), []).append(ms)
    return max((at + 1.0 for at, taken in seconds.items() if statistics.median(taken) > usual), default=0.0)


def run(seconds: int = SECONDS, store: str = "") -> None:
    """Print decisions a second, latency, errors, what is shed under overload, recovery and memory."""
    command = [sys.executable, "-m", "jiesu", "serve", "--insecure", "--port", str(PORT), "--workers", "2"]
    kind = "postgresql" if store else "sqlite"
    requests = bodies()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"JIESU_HOME": home} | ({"JIESU_STORE": store} if store else {})
        with served(command, PORT) as process:
            uvloop.run(load(PORT, RATE / 5, 5, requests))
            before = memory(process.pid)
            steady = uvloop.run(load(PORT, RATE, seconds, requests))
            tell(figure(f"load.{kind}.decisions", steady.statuses["200"] / steady.seconds, "decisions/s", RATE))
            tell(figure(f"load.{kind}.p50", steady.percentile(0.5), "ms"))
            tell(figure(f"load.{kind}.p99", steady.percentile(0.99), "ms", 50))
            tell(figure(f"load.{kind}.errors", steady.statuses.total() - steady.statuses["200"], "requests"))
            overload = uvloop.run(load(PORT, OVERLOAD * RATE, OVERLOAD_SECONDS, requests, CROWD))
            shed = overload.statuses["429"] + overload.statuses["503"]
            other = overload.statuses.total() - shed - overload.statuses["200"]
            tell(figure(f"load.{kind}.overload_decisions", overload.statuses["200"] / overload.seconds, "decisions/s"))
            tell(figure(f"load.{kind}.overload_shed", shed, "requests", overload.advised))
            tell(figure(f"load.{kind}.overload_errors", other, "requests"))
            after = uvloop.run(load(PORT, RATE, 2 * RECOVERY, requests))
            tell(figure(f"load.{kind}.recovery", recovered(after, steady.percentile(0.99)), "s", RECOVERY))
            tell(figure(f"load.{kind}.memory_growth", memory(process.pid) - before, "MiB"))
