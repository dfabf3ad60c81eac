"""An event is written with what happened, once, and only for those who asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select
from ulid_transform import ulid_now, ulid_to_bytes

from serving.events.deliveries import claim, finish
from serving.events.outbox import CORRECTED, DECIDED, RED_LINE, Outbox, event_id
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store.tables import deliveries, events
from serving.times import millis
from tests.serving.events.conftest import NOW, Clock, here, noted, states, target

URL = "http://127.0.0.1:1/"


def counted(journal: Journal) -> tuple[int, int]:
    def count(store: Any) -> tuple[int, int]:
        first, second = (store.scalar(select(func.count()).select_from(table)) for table in (events, deliveries))
        return first, second

    return journal.read(count)


def test_an_event_is_a_cloud_event_with_the_data_as_it_was(journal: Journal) -> None:
    subject = ulid_now()
    noted(journal, here(target(URL)), DECIDED, subject, '{"text":"水管  爆了","n":1.50}'.encode())
    content = journal.read(lambda store: store.scalars(select(events.c.content)).one())
    event = json.loads(content)
    assert event | {"id": ""} == {
        "specversion": "1.0",
        "id": "",
        "source": "/jiesu",
        "type": "cn.jiesu.decision.made",
        "subject": subject,
        "time": "2026-11-23T01:12:03.000+00:00",
        "datacontenttype": "application/json",
        "data": {"text": "水管  爆了", "n": 1.5},
    }
    assert '"data":{"text":"水管  爆了","n":1.50}'.encode() in content
    assert event["id"][:10] == subject[:10]


def test_each_target_that_wants_it_has_a_delivery(journal: Journal) -> None:
    targets = here(target(URL, "甲", (RED_LINE,)), target(URL, "乙"), target(URL, "丙", (DECIDED,)))
    noted(journal, targets, RED_LINE, ulid_now(), b"{}")
    assert {(row["target"], row["state"], row["attempts"], row["next_at"]) for row in states(journal)} == {
        (name, "waiting", 0, millis(NOW)) for name in ("甲", "乙")
    }


@pytest.mark.parametrize("targets", [here(), here(target(URL, types=(RED_LINE,)))])
def test_what_nobody_wants_is_not_written(journal: Journal, targets: Any) -> None:
    outbox = Outbox(targets.target, "/jiesu")
    woken: list[bool] = []
    outbox.wake = lambda: woken.append(True)
    journal.write_now(lambda unit: outbox.put(unit, DECIDED, ulid_now(), b"{}"))
    assert counted(journal) == (0, 0)
    assert not woken


def test_the_same_noted_again_is_one_event_and_is_not_sent_again(journal: Journal) -> None:
    targets, clock, subject = here(target(URL)), Clock(), ulid_now()
    noted(journal, targets, DECIDED, subject, b'{"a":1}', clock)
    now = millis(NOW)
    [claimed] = journal.write_now(lambda unit: claim(unit, "值班系统", now, now + 1, 9))
    journal.write_now(finish(claimed))
    clock.jump(5)
    noted(journal, targets, DECIDED, subject, b'{"a":1}', clock)
    assert counted(journal) == (1, 1)
    assert states(journal)[0]["state"] == "done"


def test_two_corrections_of_one_decision_are_two_events(journal: Journal) -> None:
    subject = ulid_now()
    for data in (b'{"category":"leak"}', b'{"category":"noise"}'):
        noted(journal, here(target(URL)), CORRECTED, subject, data)
    assert counted(journal) == (2, 2)


@pytest.mark.parametrize("subject", ["default-2026.11-3f2a91", "2026-W48", "", "库" * 100])
def test_an_event_about_anything_has_an_id_that_is_a_ulid(subject: str) -> None:
    assert len(ulid_to_bytes(event_id(DECIDED, subject, b"{}"))) == 16
    assert event_id(DECIDED, subject, b"{}") == event_id(DECIDED, subject, b"{}")
    assert event_id(DECIDED, subject, b"{}") != event_id(CORRECTED, subject, b"{}")


def test_what_was_taken_back_has_no_event(journal: Journal) -> None:
    outbox = Outbox(here(target(URL)).target, "/jiesu")

    def write(unit: Unit) -> None:
        outbox.put(unit, DECIDED, ulid_now(), b"{}")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        journal.write_now(write)
    assert counted(journal) == (0, 0)
