"""Tidying: files go when their time is over, and those that are no batch's; figures are put up."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from ulid_transform import ulid_at_time, ulid_now

from serving.batches.folder import GONE, Folder, root_of
from serving.batches.tidy import tidy
from serving.service import Service
from serving.settings import Settings
from tests.serving.batches.conftest import Send, table


class Later(Settings):
    """Settings of a service some days on."""

    days: float = 0

    def now(self) -> datetime:
        return super().now() + timedelta(days=self.days)


def later(settings: Settings, days: float) -> Settings:
    return Later(**{**dict(settings), "days": days})


def test_files_go_when_their_time_is_over(
    desk: TestClient, send: Send, service: Service, settings: Settings, finish: Callable[[str], dict[str, Any]]
) -> None:
    done = send(table(2)).json()["id"]
    finish(done)
    waiting = send(table(2)).json()["id"]
    root = root_of(settings)
    assert tidy(service.journal, later(settings, 6.9), service.metrics) == "0"
    assert (root / done).exists()
    assert tidy(service.journal, later(settings, 7.1), service.metrics) == "1"
    assert [path.name for path in root.iterdir()] == [waiting]
    assert desk.get(f"/v1/batches/{done}").json()["parts"] == []
    assert desk.get(f"/v1/batches/{done}/result").status_code == 404
    tidy(service.journal, later(settings, 401), service.metrics)
    assert desk.get(f"/v1/batches/{done}").status_code == 404
    assert desk.get(f"/v1/batches/{waiting}").json()["state"] == "waiting"


def test_folders_of_nobody_go(send: Send, service: Service, settings: Settings) -> None:
    kept = send(table(1)).json()["id"]
    root = root_of(settings)
    old = ulid_at_time(settings.now().timestamp() - 2 * 86_400)
    for name in (old, ulid_now(), f"{GONE}{ulid_now()}"):
        (root / name).mkdir()
        (root / name / "upload").write_bytes(b"x")
    assert tidy(service.journal, settings, service.metrics) == "2"
    assert kept in os.listdir(root)
    assert len(os.listdir(root)) == 2


def test_figures_are_put_up(desk: TestClient, send: Send, service: Service, settings: Settings) -> None:
    send(table(1))
    tidy(service.journal, settings, service.metrics)
    page = desk.get("/metrics").text
    assert 'jiesu_batches{state="waiting"} 1.0' in page
    assert "jiesu_batch_jobs_waiting 1.0" in page


def test_removing_what_is_not_there_is_nothing(settings: Settings) -> None:
    Folder(root_of(settings), ulid_now()).remove()
