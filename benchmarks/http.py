"""The service over HTTP, against an empty FastAPI endpoint under the same server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.measure import figure, tell
from benchmarks.petitions import own

EMPTY = """
from fastapi import FastAPI
import socket, uvicorn
app = FastAPI()
@app.post("/v1/decisions")
async def empty() -> dict[str, str]:
    return {}
uvicorn.Server(uvicorn.Config(app, port=8072, access_log=False, log_level="error")).run()
"""
SECONDS = 8
RATE = 200


@contextlib.contextmanager
def served(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own, up before and down after; how long it took is an attribute."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def script(folder: str) -> Path:
    """A wrk script that posts our own petitions in turn, one a request."""
    bodies = [
        json.dumps({"petitions": [{"id": p.id, "title": p.title, "text": p.text}]}, ensure_ascii=False) for p in own()
    ]
    quoted = ",\n".join("[==[" + body + "]==]" for body in bodies)
    path = Path(folder) / "post.lua"
    path.write_text(
        f"local bodies = {{{quoted}}}\nlocal n = 0\n"
        'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
        "request = function() n = n % #bodies + 1; return wrk.format(nil, nil, nil, bodies[n]) end\n"
    )
    return path


def throughput(port: int, lua: Path) -> float:
    """Requests a second that wrk gets with 32 connections."""
    command = ["wrk", "-t1", "-c32", f"-d{SECONDS}s", "-s", str(lua), f"http://127.0.0.1:{port}/v1/decisions"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told:
        raise RuntimeError(told)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told).group(1))


async def latencies(port: int) -> list[float]:
    """Milliseconds of each answer at a steady rate of requests."""
    taken: list[float] = []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", limits=httpx.Limits(max_connections=64, keepalive_expiry=2)
    ) as client:

        async def ask(body: dict[str, object]) -> None:
            begun = time.perf_counter()
            (await client.post("/v1/decisions", json=body)).raise_for_status()
            taken.append(1000 * (time.perf_counter() - begun))

        begun, tasks = time.perf_counter(), []
        for number in range(RATE * SECONDS):
            petition = own()[number % len(own())]
            body = {"petitions": [{"id": petition.id, "title": petition.title, "text": petition.text}]}
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(body)))
        await asyncio.gather(*tasks)
    return taken


def resident(process: subprocess.Popen[bytes]) -> float:
    """MiB of memory that a process holds."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def run() -> None:
    """Print requests a second, latency at a steady rate, start-up time and memory."""
    if not shutil.which("wrk"):
        print("benchmarks.http needs wrk (apt-get install wrk)", file=sys.stderr)
        return
    command = [sys.executable, "-m", "jiesu", "serve", "--insecure", "--port", "8071"]
    with tempfile.TemporaryDirectory() as folder, served([sys.executable, "-c", EMPTY], 8072):
        lua = script(folder)
        begun = time.perf_counter()
        with served(command, 8071) as process:
            tell(figure("http.start_up", time.perf_counter() - begun, "s"))
            ours, empty = [], []
            for _ in range(3):
                empty.append(throughput(8072, lua))
                ours.append(throughput(8071, lua))
            tell(figure("http.requests", statistics.median(ours), "requests/s", statistics.median(empty)))
            taken = asyncio.run(latencies(8071))
            tell(figure("http.p50_at_200", statistics.median(taken), "ms"))
            tell(figure("http.p99_at_200", statistics.quantiles(taken, n=100)[98], "ms"))
            tell(figure("http.resident", resident(process), "MiB"))
