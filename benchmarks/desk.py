"""Fifty operators who type at once, and a browser among them: how soon a suggestion is there.

Each seat has a connection of its own, types a petition at the pace of speech and asks after each pause, about once a
second; a petition that is told is settled, and the next call begins.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import httpx
import numpy as np

from benchmarks.http import served
from benchmarks.measure import figure, tell
from benchmarks.petitions import own

PORT, SEATS, SECONDS = 8074, 50, 30
PAUSE = 1.0  # seconds between two pauses of somebody who types
STROKES = range(6, 14)  # characters that are typed between two pauses
SOON = 200  # milliseconds: the goal for a suggestion, counted from the pause
LOAD = 1500  # milliseconds: the goal for a first load
WAITED = 300  # milliseconds that the page itself waits for a pause
# Milliseconds from the last key to the suggestion on the page, for so many texts.
TYPE = """async (texts) => {
  const taken = [];
  const field = document.getElementById("text");
  for (const text of texts) {
    const drawn = new Promise((done) => {
      const seen = new MutationObserver(() => { seen.disconnect(); done(); });
      seen.observe(document.getElementById("choices"), { childList: true });
    });
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    const begun = performance.now();
    await drawn;
    taken.push(performance.now() - begun);
  }
  return taken;
}"""
LOADED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((most, entry) => Math.max(most, entry.responseEnd), 0)"""


@dataclass
class Seen:
    """What the operators saw, in milliseconds, and the statuses of all answers."""

    suggested: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def errors(self) -> int:
        """Answers that were none."""
        return self.statuses.total() - self.statuses[200]


async def seat(client: httpx.AsyncClient, number: int, until: float, seen: Seen) -> None:
    """One operator, call after call."""
    chance = np.random.default_rng(number)
    await asyncio.sleep(chance.random() * PAUSE)
    call = 0
    while time.perf_counter() < until:
        call += 1
        petition = {"id": f"D{number}-{call}", "text": ""}
        text = own()[chance.integers(len(own()))].text
        while len(petition["text"]) < len(text) and time.perf_counter() < until:
            petition["text"] = text[: len(petition["text"]) + int(chance.choice(STROKES))]
            await ask(client, "/desk/suggest", petition, seen.suggested, seen)
            await asyncio.sleep(PAUSE * chance.uniform(0.7, 1.3))
        await ask(client, "/desk/settle", {"petition": petition, "verdict": "accepted"}, seen.settled, seen)


async def ask(client: httpx.AsyncClient, path: str, body: Any, taken: list[float], seen: Seen) -> None:
    """One request, timed."""
    begun = time.perf_counter()
    reply = await client.post(path, json=body)
    taken.append(1000 * (time.perf_counter() - begun))
    seen.statuses[reply.status_code] += 1


async def crowd(url: str, seconds: float, seats: int = SEATS) -> Seen:
    """So many operators at once."""
    seen, until = Seen(), time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=seats, max_keepalive_connections=seats)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=20) as client:
        await asyncio.gather(*(seat(client, number, until, seen) for number in range(seats)))
    return seen


@contextmanager
def crowded(url: str, seconds: float, seats: int = SEATS) -> Iterator[Seen]:
    """Operators at work while the body runs, for at least so long; what they saw is there afterwards."""
    found = Seen()

    def work() -> None:
        vars(found).update(vars(asyncio.run(crowd(url, seconds, seats))))

    own()  # read before anybody waits for an answer
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield found
    finally:
        thread.join()


def percentile(taken: list[float], share: float) -> float:
    """Milliseconds within which this share was answered."""
    return statistics.quantiles(taken, n=100, method="inclusive")[round(100 * share) - 1]


def typed(count: int) -> list[str]:
    """A petition as it grows, pause by pause."""
    text = "".join(petition.text for petition in own()[:20])
    return [text[: 10 + 8 * number] for number in range(count)]


def browsed(url: str, count: int = 30) -> tuple[float, list[float]]:
    """A browser's first load of the desk, and its suggestions after a pause; in milliseconds."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where `make test-system` installed it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{url}/desk")
        page.wait_for_selector("#new:enabled")
        loaded = page.evaluate(LOADED)
        taken = [ms - WAITED for ms in page.evaluate(TYPE, typed(count))]
        browser.close()
    return loaded, taken


def report(name: str, taken: list[float], goal: float | None = None) -> None:
    """Print the usual percentiles."""
    for share in (0.5, 0.95, 0.99):
        tell(figure(f"desk.{name}.p{round(100 * share)}", percentile(taken, share), "ms", goal))


def run(seconds: float = SECONDS, browse: Callable[[str], tuple[float, list[float]]] = browsed) -> None:
    """Print how soon suggestions are there with one operator and with fifty, in a browser and over the wire."""
    command = [sys.executable, "-m", "jiesu", "serve", "--insecure", "--port", str(PORT), "--workers", "2"]
    url, has_browser = f"http://127.0.0.1:{PORT}", find_spec("playwright") is not None
    with tempfile.TemporaryDirectory() as home:
        os.environ["JIESU_HOME"] = home
        with served(command, PORT):
            if has_browser:
                loaded, alone = browse(url)
                tell(figure("desk.first_load", loaded, "ms", LOAD))
                report("page_alone", alone, SOON)
            with crowded(url, seconds) as seen:
                if has_browser:
                    loaded, among = browse(url)
                    tell(figure("desk.first_load_among_50", loaded, "ms", LOAD))
                    report("page_among_50", among, SOON)
            report("suggest_50", seen.suggested, SOON)
            report("settle_50", seen.settled)
            tell(figure("desk.suggestions_50", len(seen.suggested) / seconds, "suggestions/s"))
            tell(figure("desk.errors_50", seen.errors, "requests"))
