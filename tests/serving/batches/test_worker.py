"""Workers: one that dies, one that is stopped, one that keeps failing; what comes out is always the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from nlp.decider import Decider
from serving.app import create_app
from serving.batches import queue
from serving.batches import worker as working
from serving.batches.bench import Reading
from serving.batches.lease import Lease, Pace, Stopped
from serving.batches.queue import Lost
from serving.service import Service
from serving.settings import Settings
from serving.store import tables
from serving.times import millis
from tests.serving.batches.conftest import QUICK, Send, rows_of, table, worker_of

ROOT = Path(__file__).parents[3]
NOW = "2026-11-23T09:00:00+08:00"
Finish = Callable[[str], dict[str, Any]]


def result(desk: TestClient, batch: str) -> bytes:
    reply = desk.get(f"/v1/batches/{batch}/result")
    assert reply.status_code == 200, reply.text
    return bytes(reply.content)


def drain(worker: Any) -> None:
    while worker.work():
        pass


def check_until(lease: Lease, until: float) -> None:
    while time.monotonic() < until:
        lease.check()
        time.sleep(0.01)


def attempts(service: Service) -> list[int]:
    jobs = tables.batch_jobs.c
    return service.journal.read(lambda store: list(store.scalars(select(jobs.attempts).order_by(jobs.number))))


@pytest.mark.parametrize("kill", ["prepare", "decide", "finish"])
def test_after_a_worker_died_another_gives_the_same(
    desk: TestClient, send: Send, finish: Finish, service: Service, kill: str
) -> None:
    """Killed after its files were written, before the store heard of it."""
    content = table(220)
    whole = send(content, now=NOW).json()["id"]
    finish(whole)
    broken = send(content, now=NOW).json()["id"]
    dying = worker_of(service, pace=Pace(lease=0.05))
    dying._try = _dead(dying, kill)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        drain(dying)
    time.sleep(0.1)  # until its claim has run out
    told = finish(broken)
    assert told["state"] == "done"
    assert told["rows"]["read"] == 220
    assert result(desk, broken) == result(desk, whole)


def _dead(worker: Any, kill: str) -> Callable[[Any], None]:
    real = type(worker)._try

    def dying(task: Any) -> None:
        if task.claimed.step != kill:
            real(worker, task)
            return
        working.STEPS[kill](worker._tools.bench, task)
        raise KeyboardInterrupt

    return dying


def test_a_service_that_comes_back_finishes_what_was_begun(settings: Settings, decider: Decider) -> None:
    headers = {"idempotency-key": "back-1"}
    with TestClient(create_app(settings, decider)) as client:
        app: Any = client.app
        batch = client.post("/v1/batches", files={"file": ("a.csv", table(150))}, headers=headers).json()["id"]
        worker = worker_of(app.state.service)
        assert [worker.work() for _ in range(2)] == [True, True]
    with TestClient(create_app(settings, decider)) as client:
        app = client.app
        drain(worker_of(app.state.service))
        assert client.get(f"/v1/batches/{batch}").json()["state"] == "done"
        assert len(rows_of(result(client, batch))) == 150


def test_two_instances_share_the_chunks(settings: Settings, decider: Decider) -> None:
    with TestClient(create_app(settings, decider)) as one, TestClient(create_app(settings, decider)) as two:
        headers, content = {"idempotency-key": "share-1"}, table(2000)
        batch = one.post("/v1/batches", files={"file": ("a.csv", content)}, headers=headers).json()["id"]
        stop = threading.Event()
        services: list[Service] = [client.app.state.service for client in (one, two)]  # type: ignore[attr-defined]
        threads = [threading.Thread(target=worker_of(service, stop).run) for service in services]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60
        while (told := two.get(f"/v1/batches/{batch}").json())["state"] in {"waiting", "running"}:
            assert time.monotonic() < until
            time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join()
        assert told["state"] == "done", told
        assert told["rows"]["read"] == 2000
        rows = rows_of(result(two, batch))
        assert [row["工单编号"] for row in rows] == [f"G{row}" for row in range(2000)]
        assert len({row["接诉_决定编号"] for row in rows}) == 2000


def test_what_fails_is_tried_again_and_then_given_up(
    desk: TestClient, send: Send, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = send(table(3)).json()["id"]
    worker = worker_of(service, pace=Pace(again=0))
    worker.work()

    def fails(*_: object) -> None:
        raise RuntimeError("楼上漏水")

    monkeypatch.setitem(working.STEPS, queue.DECIDE, fails)  # type: ignore[arg-type]
    for number in (1, 2):
        assert worker.work()
        assert attempts(service) == [1, number]
    assert worker.work()
    told = desk.get(f"/v1/batches/{batch}").json()
    assert told["state"] == "failed"
    assert "RuntimeError" in told["reason"]
    assert "漏水" not in told["reason"]
    assert desk.get(f"/v1/batches/{batch}/result").status_code == 409


def test_a_job_that_kills_its_workers_is_given_up(desk: TestClient, send: Send, service: Service) -> None:
    batch = send(table(3)).json()["id"]
    now = millis(service.settings.now())
    for number in range(3):
        at = now + number
        assert service.journal.write_now(lambda unit, at=at: queue.claim(unit, "dead", at, at + 1)) is not None
    time.sleep(0.01)
    assert worker_of(service).work()
    told = desk.get(f"/v1/batches/{batch}").json()
    assert told["state"] == "failed"
    assert "3 次" in told["reason"]


def test_files_that_are_gone_are_told(desk: TestClient, send: Send, service: Service, settings: Settings) -> None:
    batch = send(table(3)).json()["id"]
    (settings.home / "batches" / batch).rename(settings.home / "elsewhere")
    assert worker_of(service).work()
    assert desk.get(f"/v1/batches/{batch}").json()["state"] == "failed"


def test_who_is_stopped_gives_the_job_back_at_once(
    desk: TestClient, send: Send, service: Service, finish: Finish
) -> None:
    batch = send(table(3)).json()["id"]
    stop = threading.Event()
    worker = worker_of(service, stop)
    worker.work()
    stop.set()
    assert worker.work()
    assert attempts(service) == [1, 0]
    assert finish(batch)["state"] == "done"


def test_cancelled_while_it_is_worked_at(desk: TestClient, send: Send, service: Service, settings: Settings) -> None:
    batch = send(table(3)).json()["id"]
    worker = worker_of(service)
    real = type(worker)._try

    def cancelling(task: Any) -> None:
        desk.delete(f"/v1/batches/{batch}")
        real(worker, task)

    worker._try = cancelling  # type: ignore[method-assign]
    assert worker.work()
    assert desk.get(f"/v1/batches/{batch}").json()["state"] == "cancelled"
    assert list((settings.home / "batches").iterdir()) == []


def test_a_lease_is_renewed_and_its_loss_is_noticed(send: Send, service: Service) -> None:
    send(table(3))
    now = millis(service.settings.now())
    claimed = service.journal.write_now(lambda unit: queue.claim(unit, "me", now, now + 150))
    assert claimed is not None
    with Lease(service.journal, service.settings.now, claimed, Pace(lease=0.15), threading.Event()) as lease:
        time.sleep(0.4)
        later = millis(service.settings.now())
        assert service.journal.write_now(lambda unit: queue.claim(unit, "other", later, later + 100)) is None
        lease.check()
        far = millis(service.settings.now() + timedelta(minutes=5))
        assert service.journal.write_now(lambda unit: queue.claim(unit, "other", far, far + 100)) is not None
        until = time.monotonic() + 10
        with pytest.raises(Lost):
            check_until(lease, until)


def test_a_lease_hears_of_a_stop(send: Send, service: Service) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Lease(service.journal, service.settings.now, queue.Claimed("b", 1, "decide", "me", 1), QUICK, stop).check()


def test_rows_are_read_forward_and_anew() -> None:
    class Numbers:
        name, columns, opened = "numbers", ("n",), 0

        def rows(self) -> Any:
            self.opened += 1
            return iter(range(10))

        def digest(self) -> str:
            return ""

    source: Any = Numbers()
    reading = Reading(source, 3)

    def go_on() -> None:
        return None

    assert [reading.chunk(number, go_on) for number in (1, 3, 4)] == [[0, 1, 2], [6, 7, 8], [9]]
    assert source.opened == 1
    assert reading.chunk(2, go_on) == [3, 4, 5]
    assert source.opened == 2


@pytest.mark.system
@pytest.mark.parametrize("kill", [False, True])
def test_a_worker_of_its_own_goes_on_after_one_that_was_killed(
    settings: Settings, decider: Decider, model_folder: Path, kill: bool
) -> None:
    """`jiesu batches work`, as a process; SIGKILL while it has a claim, then another one."""
    environment = os.environ | {
        "JIESU_HOME": str(settings.home), "JIESU_STORE": settings.store.get_secret_value(),
        "JIESU_MODEL": str(model_folder), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }  # fmt: skip
    with TestClient(create_app(settings, decider)) as client:
        headers = {"idempotency-key": "own-1"}
        batch = client.post("/v1/batches", files={"file": ("a.csv", table(3000))}, headers=headers).json()["id"]
        command = [sys.executable, "-m", "jiesu", "batches", "work", "--until-empty"]
        if kill:
            with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
                until = time.monotonic() + 120
                while not client.get(f"/v1/batches/{batch}").json()["chunks"]["total"]:
                    assert time.monotonic() < until
                    time.sleep(0.02)
                process.send_signal(signal.SIGKILL)
            app: Any = client.app
            service: Service = app.state.service
            free = tables.batch_jobs.update().values(until=0)  # as if its time were over
            service.journal.write_now(lambda unit: unit.connection.execute(free).rowcount)
        subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=200)
        told = client.get(f"/v1/batches/{batch}").json()
        assert (told["state"], told["rows"]["read"]) == ("done", 3000), told
        assert len(rows_of(result(client, batch))) == 3000
        files = (settings.home / "batches" / batch).rglob("*")
        assert {oct(path.stat().st_mode & 0o077) for path in files} == {"0o0"}
