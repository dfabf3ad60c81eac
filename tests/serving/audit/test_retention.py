"""Retention: what is too old goes, what is not stays, and the chain verifies whatever went."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, func, select
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.audit import retention
from serving.audit.chain import ChainBroken
from serving.audit.retention import DAY, LEAST, Limits, Round, check_span, prune, retain_all
from serving.audit.verify import verify
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store import tables
from serving.store.engine import reading
from tests.rows import row
from tests.serving.audit.conftest import LIMITS, NOW, decided, records
from tests.serving.audit.tampering import TAMPERED, run

OLD = NOW - 401 * DAY


def count(journal: Journal, table: Table) -> int:
    def read(connection: Connection) -> int:
        return connection.scalar(select(func.count()).select_from(table)) or 0

    return journal.read(read)


def note(journal: Journal, *ages: int) -> None:
    """One record for each age in days, in this order."""
    found = [one for age in ages for one in records(1, NOW - age * DAY)]
    journal.write_now(lambda unit: unit.note(*found))


def test_the_audit_is_pruned_up_to_the_first_that_is_younger(journal: Journal) -> None:
    note(journal, 500, 450, 399, 600, 0)  # a clock that was wrong once: 600 stands behind a younger one
    assert retain_all(journal, NOW, LIMITS)["audit"] == 2
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.checkpoint.seq, found.records) == (True, 2, 4)  # the fourth tells of it


def test_everything_may_go_and_the_chain_goes_on(journal: Journal) -> None:
    note(journal, 500, 500)
    retain_all(journal, NOW, LIMITS)
    note(journal, 0)
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.checkpoint.seq, found.head.seq) == (True, 2, 4)


def test_what_was_done_is_noted_with_the_place(journal: Journal) -> None:
    note(journal, 500)
    retain_all(journal, NOW, LIMITS)
    place = verify(journal.engine, journal.chain).checkpoint
    with reading(journal.engine) as connection:
        last = connection.execute(select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(1)).one()
    assert (last.action, last.actor, last.object) == ("retain", "jiesu", f"{place.seq}:{place.hash}")


def test_nothing_is_noted_where_nothing_went(journal: Journal) -> None:
    note(journal, 1)
    retain_all(journal, NOW, LIMITS)
    assert count(journal, tables.audit) == 1


def test_batches_follow_each_other(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    note(journal, *[500] * 25)
    journal.write_now(
        lambda unit: [unit.add(tables.decisions, row(tables.decisions, id=f"{n}", at=OLD)) for n in range(35)]
    )
    deleted = retain_all(journal, NOW, LIMITS)
    assert (deleted["audit"], deleted["decisions"]) == (25, 35)
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.checkpoint.seq, found.records) == (True, 25, 4)  # one record a batch


def test_less_than_half_a_year_is_refused(journal: Journal) -> None:
    note(journal, 500)
    with pytest.raises(InputError, match="六个月"):
        Limits(audit=LEAST - 1)
    with pytest.raises(InputError, match="六个月"):
        journal.write_now(lambda unit: prune(unit, journal.chain, NOW - LEAST * DAY + 1, NOW))
    assert count(journal, tables.audit) == 1


@given(st.integers(-(10**15), 10**15))
def test_half_a_year_is_the_limit(span: int) -> None:
    if span >= LEAST * DAY:
        check_span(span)
    else:
        with pytest.raises(InputError):
            check_span(span)


@pytest.mark.parametrize(
    "way", ["actor of record 21", "record missing at the beginning", "head's hash", "checkpoint's hash"]
)
def test_what_does_not_verify_is_not_pruned(journal: Journal, chain: object, way: str) -> None:
    """Pruning it would hide it for good."""
    run(journal.engine, TAMPERED[way])
    held = count(journal, tables.audit)
    with pytest.raises(ChainBroken):
        journal.write_now(lambda unit: prune(unit, journal.chain, NOW + DAY, NOW + 900 * DAY))
    assert count(journal, tables.audit) == held
    assert not verify(journal.engine, journal.chain).is_sound


def test_a_round_of_which_nobody_heard_is_not_taken_for_another(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 5)
    note(journal, *[500] * 12)
    once = Round(ulid_now(), NOW, journal.chain, LIMITS)
    assert journal.write_now(once).deleted["audit"] == 5
    again = journal.write_now(once)
    assert (again.deleted, again.more) == ({}, True)
    assert verify(journal.engine, journal.chain).checkpoint.seq == 5


def test_a_clock_that_jumps_ahead_deletes_two_days_worth(journal: Journal) -> None:
    retain_all(journal, NOW, LIMITS)
    journal.write_now(lambda unit: decided(unit, "A", None, NOW - 399 * DAY))
    journal.write_now(lambda unit: decided(unit, "B", None))
    retain_all(journal, NOW + 3650 * DAY, LIMITS)
    assert count(journal, tables.decisions) == 1  # of 400 and a day
    retain_all(journal, NOW + DAY, LIMITS)
    assert count(journal, tables.decisions) == 1


def test_decisions_stay_while_something_is_said_of_them(journal: Journal) -> None:
    def write(unit: Unit) -> None:
        said = {"quiet": [], "heard": [("feedback", "at")], "became": [("outcomes", "recorded_at")]}
        for name, whats in said.items():
            unit.add(tables.decisions, row(tables.decisions, id=name, at=OLD))
            for what, when in whats:
                table = tables.metadata.tables[what]
                unit.add(table, row(table, id=name, decision=name) | {when: NOW - DAY})

    journal.write_now(write)
    assert retain_all(journal, NOW, LIMITS)["decisions"] == 1
    left = journal.read(lambda connection: set(connection.scalars(select(tables.decisions.c.id))))
    assert left == {"heard", "became"}


def event(unit: Unit, name: str, at: int, *states: str) -> None:
    unit.add(tables.events, row(tables.events, id=name, at=at))
    for state in states:
        unit.add(tables.deliveries, row(tables.deliveries, event=name, target=state, state=state))


def written(unit: Unit) -> None:
    """Of each kind one that is too old and one that is not."""
    for name, at in (("old", NOW - 8 * DAY), ("new", NOW - 6 * DAY)):
        unit.add(tables.calls, row(tables.calls, id=name, at=at))
        event(unit, name, at, "done")
    for name, at in (("old", NOW - DAY - 1), ("new", NOW - DAY + 1)):
        unit.add(tables.requests, row(tables.requests, name=name, begun_at=at))
    for name, at in (("old", NOW), ("new", NOW + 1)):
        unit.add(tables.rates, row(tables.rates, name=name, expires_at=at))
        unit.add(tables.sessions, row(tables.sessions, id=name, expires_at=at))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (tables.calls, "id"),
        (tables.events, "id"),
        (tables.requests, "name"),
        (tables.rates, "name"),
        (tables.sessions, "id"),
    ],
)
def test_each_kind_has_its_own_limit(journal: Journal, table: Table, name: str) -> None:
    journal.write_now(written)
    assert retain_all(journal, NOW, LIMITS)[table.name] == 1
    assert journal.read(lambda connection: list(connection.scalars(select(table.c[name])))) == ["new"]


def test_events_that_were_not_told_wait_as_long_as_decisions(journal: Journal) -> None:
    def write(unit: Unit) -> None:
        for state in ("waiting", "dead"):
            event(unit, state, NOW - 30 * DAY, state, "done")
            event(unit, f"{state} for ever", OLD, state)

    journal.write_now(write)
    assert retain_all(journal, NOW, LIMITS)["events"] == 2
    assert journal.read(lambda connection: set(connection.scalars(select(tables.events.c.id)))) == {"waiting", "dead"}
    assert count(journal, tables.deliveries) == 4


def test_erasures_and_pruning_agree(journal: Journal, forget: Callable[..., object]) -> None:
    """The record of an erasure is pruned after all that it explains, whatever is erased before and later."""
    for petition, age in (("A", 600), ("B", 500), ("C", 300)):
        journal.write_now(lambda unit, petition=petition, age=age: decided(unit, petition, "s", NOW - age * DAY))  # type: ignore[misc]
        forget(petition=petition)
        assert verify(journal.engine, journal.chain).is_sound
    for later in (0, 100, 200, 400):
        journal.write_now(
            lambda unit, later=later: prune(unit, journal.chain, NOW + (later - 400) * DAY, NOW + later * DAY)
        )  # type: ignore[misc]
        journal.write_now(lambda unit: decided(unit, "D", "s"))
        forget("s")
        assert verify(journal.engine, journal.chain).is_sound
