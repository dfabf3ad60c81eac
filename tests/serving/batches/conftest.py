"""What the tests of batches share: a service, somebody who sends it files, and a worker that does what waits."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from nlp.decider import Decider
from serving.app import create_app
from serving.batches.bench import Bench
from serving.batches.lease import Pace
from serving.batches.worker import Tools, Worker
from serving.service import Service
from serving.settings import Settings

HEAD = ("工单编号", "诉求内容", "一级分类", "受理时间", "备注")
TEXTS = (
    "小区门口的路灯不亮，晚上看不见路",
    "楼上卫生间漏水到我家，物业不管",
    "工地半夜还在打桩，孩子睡不着",
    "垃圾桶满了没有人倒，臭得开不了窗",
)
NAMES = count()
Send = Callable[..., httpx.Response]
CHUNK = 100  # rows
QUICK = Pace(poll=0.01)


def table(rows: int, *, head: Sequence[str] = HEAD, notes: Sequence[str] = ("",)) -> bytes:
    """A CSV file of so many tickets."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in range(rows):
        time = f"2026-11-{row % 20 + 1:02} 09:00:00"
        writer.writerow((f"G{row}", TEXTS[row % len(TEXTS)], "市政" if row % 2 else "", time, notes[row % len(notes)]))
    return out.getvalue().encode()


@pytest.fixture
def settings(store_url: str, tmp_path: Path, model_folder: Path) -> Settings:
    """Those of a service with a small model and a store of its own."""
    return Settings(
        insecure=True, home=tmp_path / "home", store=SecretStr(store_url), rules_every=0, model=model_folder,
        max_upload=4 * 1024 * 1024,
    )  # fmt: skip


@pytest.fixture
def desk(settings: Settings, decider: Decider) -> Iterator[TestClient]:
    """The service; no worker runs beside it."""
    with TestClient(create_app(settings, decider)) as client:
        yield client


@pytest.fixture
def send(desk: TestClient) -> Send:
    """Send a file as a form, under a key of its own unless one is given."""

    def sent(content: bytes, name: str = "工单.csv", key: str = "", **fields: str) -> httpx.Response:
        headers = {"idempotency-key": key or f"send-{next(NAMES)}"}
        reply: Any = desk.post("/v1/batches", files={"file": (name, content)}, data=fields, headers=headers)
        return reply

    return sent


def worker_of(service: Service, stop: threading.Event | None = None, pace: Pace = QUICK) -> Worker:
    """A worker in this process, which writes through the service's journal."""
    tools = Tools(service.settings, service.journal, service.outbox, Bench(service.settings, CHUNK), pace)
    return Worker(tools, stop or threading.Event())


@pytest.fixture
def worker(service: Service) -> Worker:
    return worker_of(service)


@pytest.fixture
def finish(worker: Worker, desk: TestClient) -> Callable[[str], dict[str, Any]]:
    """Do all that waits; then how a batch stands."""

    def finished(batch: str) -> dict[str, Any]:
        while worker.work():
            pass
        told: dict[str, Any] = desk.get(f"/v1/batches/{batch}").json()
        return told

    return finished


def rows_of(content: bytes) -> list[dict[str, str]]:
    """A CSV result by its headings."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
