"""Whatever happens on the way, a target gets each event at least once, the same each time, and delays nobody else."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from ulid_transform import ulid_now

from serving.audit.chain import Chain
from serving.events.deliveries import claim, replay
from serving.events.lane import TRIES, Pace
from serving.events.outbox import DECIDED, RED_LINE, Outbox
from serving.events.post import AT_ONCE, Post
from serving.events.sender import Sender
from serving.events.signature import key_of, verify
from serving.events.targets import Targets
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.store.engine import StoreDown, open_engine
from serving.times import millis
from tests.serving.conftest import SECRET as SERVER
from tests.serving.events.conftest import SECRET, Answer, Clock, Receiver, Run, here, noted, states, target


def state(journal: Journal) -> list[str]:
    return [row["state"] for row in states(journal)]


def tried(sending: Run, targets: Targets, tries: int) -> None:
    """Run a sender until a delivery was tried so often, and what came of it is written."""
    claimed_until = millis(sending.clock()) + 60_000

    def done() -> bool:
        [row] = states(sending.journal)
        return bool(row["attempts"] == tries and (row["state"] != "waiting" or row["next_at"] != claimed_until))

    sending.until(targets, done)


def test_an_event_arrives_signed_and_is_done(sending: Run, receiver: Receiver, clock: Clock) -> None:
    targets = here(target(receiver.url))
    noted(sending.journal, targets, RED_LINE, ulid_now(), b'{"clock":"emergency"}', clock)
    sending.until(targets, lambda: state(sending.journal) == ["done"])
    [got] = receiver.got
    verify(key_of(SECRET), got.headers, got.body, clock.at.timestamp())
    event = json.loads(got.body)
    assert event["data"] == {"clock": "emergency"}
    assert event["id"] == got.headers["webhook-id"]
    assert b'jiesu_deliveries_total{result="done",target="\xe5' in sending.metrics.page()


def test_a_sender_is_woken_by_the_outbox(journal: Journal, receiver: Receiver, clock: Clock) -> None:
    targets = here(target(receiver.url))
    outbox = Outbox(targets.target, "/jiesu", clock)
    sender = Sender(journal, targets, clock, Post(targets), Metrics("test"), Pace(poll=30))
    outbox.wake = sender.wake

    async def work() -> float:
        async with sender.running():
            await asyncio.sleep(0.2)  # it has looked once, and sleeps
            begun = time.monotonic()
            await journal.write(lambda unit: outbox.put(unit, DECIDED, ulid_now(), b"{}"))
            while not receiver.got:
                await asyncio.sleep(0.005)
                assert time.monotonic() - begun < 5
            return time.monotonic() - begun

    assert asyncio.run(work()) < 5
    outbox.wake()  # nobody is there any more: nothing happens


@pytest.mark.parametrize(
    "bad", [Answer(500), Answer(429), Answer(404), Answer(302, {"location": "/"}), Answer(hangs=True)]
)
def test_what_failed_is_sent_again_byte_for_byte(sending: Run, receiver: Receiver, clock: Clock, bad: Answer) -> None:
    sending.patience = 0.5 if bad.hangs else 5.0
    receiver.answers.append(bad)
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), '{"text":"楼上漏水"}'.encode(), clock)
    tried(sending, targets, 1)
    [row] = states(sending.journal)
    assert row["state"] == "waiting"
    assert millis(clock.at) <= row["next_at"] <= millis(clock.at) + 1000
    clock.jump(1)
    tried(sending, targets, 2)
    first, second = receiver.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    verify(key_of(SECRET), second.headers, second.body, clock.at.timestamp())
    assert state(sending.journal) == ["done"]


@pytest.mark.parametrize(("asked", "waited"), [("120", 120), ("Mon, 23 Nov 2026 01:17:03 GMT", 300), ("86400", 3600)])
def test_a_target_says_when_to_come_back(
    sending: Run, receiver: Receiver, clock: Clock, asked: str, waited: int
) -> None:
    receiver.answers.append(Answer(503, {"retry-after": asked}))
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    tried(sending, targets, 1)
    assert states(sending.journal)[0]["next_at"] == millis(clock.at) + waited * 1000


def test_after_twelve_tries_it_is_a_dead_letter_that_can_be_replayed(
    sending: Run, receiver: Receiver, clock: Clock
) -> None:
    receiver.usually = Answer(500)
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    for tries in range(1, TRIES + 1):
        tried(sending, targets, tries)
        clock.jump(3600)
    assert [(row["state"], row["error"]) for row in states(sending.journal)] == [("dead", "HTTP 500")]
    counted = 'jiesu_dead_letters{target="值班系统"} 1.0'.encode()
    sending.until(targets, lambda: counted in sending.metrics.page())
    assert len(receiver.got) == TRIES
    receiver.usually = Answer(204)
    assert sending.journal.write_now(lambda unit: replay(unit, millis(clock.at), ["值班系统"])) == 1
    sending.until(targets, lambda: state(sending.journal) == ["done"])
    assert receiver.got[-1].body == receiver.got[0].body
    assert b'result="dead"' in sending.metrics.page()


def test_a_target_that_wants_no_more_is_not_asked_again(sending: Run, receiver: Receiver, clock: Clock) -> None:
    receiver.answers.append(Answer(410))
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    sending.until(targets, lambda: state(sending.journal) == ["dead"])
    clock.jump(7200)
    sending.until(targets, lambda: len(receiver.got) == 1)


def test_two_senders_send_everything_once(sending: Run, receiver: Receiver, clock: Clock, store_url: str) -> None:
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock, count=40)
    other = Run(Journal(open_engine(store_url), Chain(SERVER)), clock)

    def done() -> bool:
        return set(state(sending.journal)) == {"done"}

    async def both() -> None:
        await asyncio.gather(sending.working(targets, done, 10), other.working(targets, done, 10))

    asyncio.run(both())
    other.journal.close()
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(ids) == len(set(ids)) == 40


def test_what_a_killed_sender_had_claimed_is_sent_by_another(sending: Run, receiver: Receiver, clock: Clock) -> None:
    targets, now = here(target(receiver.url)), millis(clock.at)
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    sending.journal.write_now(lambda unit: claim(unit, "值班系统", now, now + 60_000, 8))
    clock.jump(59)
    begun = time.monotonic()
    sending.until(targets, lambda: time.monotonic() - begun > 0.3)
    assert receiver.got == []
    clock.jump(1)
    sending.until(targets, lambda: state(sending.journal) == ["done"])
    assert len(receiver.got) == 1


def test_a_sender_that_is_stopped_gives_back_what_it_had_not_sent(
    sending: Run, receiver: Receiver, clock: Clock
) -> None:
    receiver.usually = Answer(hangs=True)
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock, count=3)
    sending.until(targets, lambda: len(receiver.got) == 3)
    now = millis(clock.at)
    assert {(row["state"], row["attempts"], row["next_at"]) for row in states(sending.journal)} == {("waiting", 0, now)}
    receiver.usually = Answer(204)
    sending.until(targets, lambda: set(state(sending.journal)) == {"done"})


def test_a_target_that_hangs_holds_up_nobody_else(
    sending: Run, receiver: Receiver, other: Receiver, clock: Clock
) -> None:
    receiver.usually = Answer(hangs=True)
    targets = here(target(receiver.url, "挂住的"), target(other.url, "好的"))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock, count=3 * AT_ONCE)
    sending.until(targets, lambda: len(other.got) == 3 * AT_ONCE and len(receiver.got) == AT_ONCE)
    good = [row["state"] for row in states(sending.journal) if row["target"] == "好的"]
    assert len(good) == 3 * AT_ONCE
    assert {row["state"] for row in states(sending.journal) if row["target"] == "挂住的"} == {"waiting"}


def test_one_answer_that_hangs_does_not_hold_up_the_same_target(sending: Run, receiver: Receiver, clock: Clock) -> None:
    receiver.answers.append(Answer(hangs=True))
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock, count=5 * AT_ONCE)
    sending.until(targets, lambda: sorted(state(sending.journal)).count("done") == 5 * AT_ONCE - 1)


def test_a_redirect_inward_is_not_followed(sending: Run, receiver: Receiver, other: Receiver, clock: Clock) -> None:
    receiver.answers.append(Answer(307, {"location": other.url}))
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    tried(sending, targets, 1)
    assert states(sending.journal)[0]["error"] == "HTTP 307"
    assert other.got == []


def test_a_name_that_turns_inward_is_an_error_and_nothing_is_sent(
    sending: Run, receiver: Receiver, clock: Clock
) -> None:
    host = "hooks.example.cn"
    targets = Targets(allow=(host,), target=(target(f"http://{host}:{receiver.port}/"),))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    sending.resolve = lambda *_: ["127.0.0.1"]
    tried(sending, targets, 1)
    assert "不许连" in states(sending.journal)[0]["error"]
    assert receiver.got == []


def test_a_store_that_is_away_for_a_while_ends_no_sender(
    sending: Run, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = here(target(receiver.url))
    noted(sending.journal, targets, DECIDED, ulid_now(), b"{}", clock)
    faults: list[Exception] = [StoreDown(reason="gone"), RuntimeError("odd"), StoreDown(reason="gone")]
    write = sending.journal.write

    async def failing(what: object) -> object:
        if faults:
            raise faults.pop()
        return await write(what)  # type: ignore[arg-type]

    monkeypatch.setattr(sending.journal, "write", failing)
    sending.until(targets, lambda: state(sending.journal) == ["done"])
    assert faults == []


def test_without_targets_nothing_runs(sending: Run) -> None:
    async def work() -> int:
        async with sending.sender(here()).running():
            return len(asyncio.all_tasks())

    assert asyncio.run(work()) == 1
