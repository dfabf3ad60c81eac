"""What the tests of errands share: a command that does what a test says, and runners for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from nlp.reader import Reader
from serving.access.scope import Scope
from serving.access.who import Who
from serving.errands import queue
from serving.errands.book import Book
from serving.errands.errand import Errand
from serving.errands.kind import Command, Kind
from serving.errands.runner import Pace, Runner
from serving.journal.journal import Journal
from serving.settings import Settings

ROOT = Path(__file__).parents[3]
WHO = Who("k1", "张敏", Scope.data)
PACE = Pace(poll=0.05, lease=30.0)
SAID = "import sys; exec(sys.argv[1])\n"  # a jiesu that does what its first word says


def commands(_settings: Settings, errand: Errand) -> Sequence[Command]:
    return [Command([code], {"TOLD": "x"}) for code in errand.asked["codes"]]


KINDS = {"do": Kind("做", commands), "once": Kind("只做一次", commands, once=True)}
Runners = Callable[..., Runner]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def settings(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service whose errands run `jiesu.py` of the folder of this test."""
    (tmp_path / "jiesu.py").write_text(SAID, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Settings(insecure=True, home=tmp_path / "home", store=SecretStr(store_url))


@pytest.fixture
def book(journal: Journal, settings: Settings) -> Book:
    return Book(journal, settings)


@pytest.fixture
def runner(journal: Journal, settings: Settings, reader: Reader) -> Runners:
    return lambda pace=PACE: Runner(journal, settings, KINDS, reader, pace)


def found(journal: Journal, errand: Errand) -> Errand:
    """How it stands."""
    errand = journal.read(lambda store: queue.find(store, errand.id))  # type: ignore[assignment]
    assert errand is not None
    return errand


async def until(true: Callable[[], object], seconds: float = 60) -> None:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds
        await asyncio.sleep(0.02)
