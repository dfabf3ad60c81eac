"""What an operator sees and does: who was told, dead letters sent anew, a target tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from ulid_transform import ulid_now

from serving.events.deliveries import Change, Claimed, bury, claim, finish
from serving.events.outbox import DECIDED, RED_LINE
from serving.events.signature import key_of, verify
from serving.events.targets import Targets
from serving.journal.journal import Journal
from serving.journal.opening import opened_journal
from serving.settings import Settings
from serving.store.tables import audit
from serving.times import millis
from tests.serving.conftest import Run
from tests.serving.events.conftest import NOW, SECRET, Answer, Receiver, noted, states

FILE = """\
allow = ["127.0.0.1"]
[[target]]
name = "值班系统"
url = "http://127.0.0.1:{port}/hook"
secret = "{secret}"
types = ["*"]
"""


@pytest.fixture
def office(run: Run, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str) -> Run:
    """An office with one target, and its command line."""
    path = tmp_path / "webhooks.toml"
    path.write_text(FILE.format(port=receiver.port, secret=SECRET), encoding="utf-8")
    monkeypatch.setenv("JIESU_WEBHOOKS", str(path))
    monkeypatch.setenv("JIESU_STORE", store_url)
    return run


@pytest.fixture
def store(office: Run) -> Iterator[Journal]:
    with opened_journal(Settings()) as journal:
        yield journal


@pytest.fixture
def letters(store: Journal) -> dict[str, str]:
    """A delivery of each state: the ids of the events."""
    now, found = millis(NOW), {}
    endings: dict[str, Callable[[Claimed], Change]] = {
        "dead": lambda one: bury(one, "HTTP 410"),
        "done": finish,
        "waiting": lambda _: lambda _: None,
    }
    for state, end in endings.items():
        noted(store, Targets.read(Settings().webhooks), RED_LINE, ulid_now(), b"{}")
        [one] = store.write_now(lambda unit: claim(unit, "值班系统", now, now + 60_000, 9))
        store.write_now(end(one))
        found[state] = one.event
    return found


def of(store: Journal, event: str) -> dict[str, Any]:
    return next(row for row in states(store) if row["event"] == event)


def test_all_deliveries_are_listed_or_the_dead_letters_alone(office: Run, letters: dict[str, str]) -> None:
    rows = json.loads(office("events", "list", "--json").stdout)
    assert {row["event"]: row["state"] for row in rows} == {event: state for state, event in letters.items()}
    [dead] = json.loads(office("events", "list", "--dead", "--json").stdout)
    assert dead == {
        "event": letters["dead"], "type": "cn.jiesu.decision.redline", "at": "2026-11-23T09:12:03+08:00",
        "target": "值班系统", "state": "dead", "attempts": 1, "next_at": "", "error": "HTTP 410",
    }  # fmt: skip
    assert len(json.loads(office("events", "list", "--json", "--limit", 2).stdout)) == 2
    shown = office("events", "list")
    assert shown.returncode == 0
    assert all(word in shown.stdout for word in (letters["dead"], "死信", "送到", "待送"))


def test_dead_letters_are_replayed_and_that_is_in_the_audit(
    office: Run, letters: dict[str, str], store: Journal
) -> None:
    done = office("events", "replay", "--all-dead")
    assert (done.returncode, done.stderr) == (0, "1 条排进了重送，由运行中的服务送出\n")
    row = of(store, letters["dead"])
    assert (row["state"], row["attempts"], row["error"]) == ("waiting", 0, "")
    record = store.read(lambda connection: connection.execute(select(audit)).one())
    assert (record.actor, record.action, record.object) == ("jiesu events replay", "events.replay", "dead")


def test_one_event_is_replayed_by_its_id_even_if_it_arrived(
    office: Run, letters: dict[str, str], store: Journal
) -> None:
    assert office("events", "replay", letters["done"], "--target", "值班系统").returncode == 0
    assert of(store, letters["done"])["state"] == "waiting"
    assert of(store, letters["dead"])["state"] == "dead"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "要么给出事件编号，要么 --all-dead"),
        (["01KAQ3W5S8V1N3J6Y7B2D4F8H0", "--all-dead"], "要么给出事件编号，要么 --all-dead"),
        (["01KAQ3W5S8V1N3J6Y7B2D4F8H0"], "没有编号为 01KAQ3W5S8V1N3J6Y7B2D4F8H0 的事件"),
        (["--all-dead", "--target", "三号"], "没有名为“三号”的目标，现有：值班系统"),
    ],
)
def test_a_replay_of_what_is_not_there_is_refused(
    office: Run, letters: dict[str, str], store: Journal, words: list[str], reason: str
) -> None:
    done = office("events", "replay", *words)
    assert done.returncode == 2
    assert reason in done.stderr
    assert of(store, letters["dead"])["state"] == "dead"


def test_a_target_is_tried_at_once(office: Run, receiver: Receiver) -> None:
    receiver.answers.append(Answer(200, body='{"收到":true}\x1b[2J'.encode()))
    done = office("events", "test", "值班系统")
    assert (done.returncode, done.stdout) == (0, '{"收到":true} [2J\n')
    assert "127.0.0.1：HTTP 200" in done.stderr
    [got] = receiver.got
    event = json.loads(got.body)
    assert event["type"] == "cn.jiesu.ping"
    verify(key_of(SECRET), got.headers, got.body, float(got.headers["webhook-timestamp"]))


def test_a_target_that_refuses_is_told_with_its_reason(office: Run, receiver: Receiver) -> None:
    receiver.answers.append(Answer(403, body=b"no"))
    done = office("events", "test", "值班系统")
    assert (done.returncode, done.stdout) == (1, "no\n")
    assert "目标“值班系统”没有收下：HTTP 403" in done.stderr
    assert office("events", "test", "三号").returncode == 2


def test_a_file_that_is_wrong_is_told_with_its_line(office: Run, tmp_path: Path) -> None:
    path = tmp_path / "webhooks.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("127.0.0.1:", "10.0.0.9:"), encoding="utf-8")
    done = office("events", "test", "值班系统")
    assert done.returncode == 2
    assert "webhooks.toml 第 4 行" in done.stderr
    assert SECRET not in done.stderr


def test_kinds_are_the_same_everywhere() -> None:
    page = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    from serving.events.kinds import KINDS, PING

    assert all(f"`{kind}`" in page for kind in (*KINDS, PING))
    assert DECIDED in KINDS
