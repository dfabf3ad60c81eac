"""Figures against cases counted by hand, on each kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from serving.desk.overview.counts import UNITS, counted
from serving.desk.overview.tickets import Listed, Wanted, everything, listed
from serving.desk.overview.verdicts import heard
from serving.indicators import rates
from serving.store.engine import reading
from tests.serving.desk.overview.conftest import Book, asked


def show(engine: Engine, which: Wanted, many: int = 50) -> Listed:
    with reading(engine) as connection:
        return listed(connection, which, {"plain": 24.0}, many)


def test_volume_by_category_tier_area_and_step(engine: Engine, book: Book) -> None:
    book.decide("11-20 00:00", area="清泉街道", needs_human=True)
    book.decide("11-20 23:59:59.999", category="noise", tier="street")
    book.decide("11-21 00:00", area="清泉街道", red_line="燃气泄漏")
    book.decide("11-19 23:59:59.999")  # before
    book.decide("11-22 00:00")  # after
    window = asked(since="2026-11-20", until="2026-11-21")
    with reading(engine) as connection:
        found = counted(connection, window)
    assert {one.code: one.counts for one in found.category} == {"leak": [1, 1], "noise": [1, 0]}
    assert {one.code: one.counts for one in found.tier} == {"community": [1, 1], "street": [1, 0]}
    assert {one.code: one.counts for one in found.area} == {"清泉街道": [1, 1], "-": [1, 0]}
    assert {one.code: one.counts for one in found.red} == {"燃气泄漏": [0, 1]}
    assert (found.total, found.human, found.red_total, found.before) == (3, 1, 1, (1, 0, 0))
    assert found.category[0].before == 1
    assert found.units == [("社区", 3)]
    assert found.channels == [("网站", 3)]


def test_filters_hold_for_every_figure(engine: Engine, book: Book) -> None:
    one = book.decide("11-20", unit="街道", channel="电话", area="白沙镇")
    other = book.decide("11-20", category="noise", tier="street")
    for decision in (one, other):
        book.say(decision, "11-21", "accepted")
    for name, value in (
        ("category", "leak"),
        ("tier", "community"),
        ("unit", "街道"),
        ("channel", "电话"),
        ("area", "白沙镇"),
    ):
        with reading(engine) as connection:
            window = asked(**{name: value})
            assert (counted(connection, window).total, heard(connection, window).total) == (1, 1), name
    with reading(engine) as connection:
        assert counted(connection, asked(area="-")).total == 1
        assert counted(connection, asked(unit="没有")).total == 0


def test_many_units_are_told_together(engine: Engine, book: Book) -> None:
    for number in range(UNITS + 3):
        book.decide("11-20", unit=f"单位{number:02}")
    with reading(engine) as connection:
        assert counted(connection, asked()).units[-1] == ("", 3)


def test_the_last_word_counts_on_the_day_it_was_said(engine: Engine, book: Book) -> None:
    first, second = book.decide("10-01"), book.decide("11-20")  # the first before the window
    book.say(first, "11-20", "accepted")
    book.say(first, "11-22", "corrected", "noise")
    book.say(second, "11-22", "accepted")
    book.say(second, "10-02", "returned")  # in the window before
    with reading(engine) as connection:
        found = heard(connection, asked(since="2026-11-20", until="2026-11-22"))
        assert heard(connection, asked()).rate_before("returned") == 1
    assert found.steps == {"accepted": [0, 0, 1], "corrected": [0, 0, 1], "returned": [0, 0, 0]}
    assert found.rates("accepted") == [None, None, 0.5]
    assert found.corrections == [("leak", "noise", 1)]
    assert (found.rate("corrected"), found.rate_before("corrected")) == (0.5, None)


def test_each_verdict_leads_to_as_many_tickets(engine: Engine, book: Book) -> None:
    first, second = book.decide("10-01"), book.decide("11-20")
    book.say(first, "11-20", "accepted")
    book.say(first, "11-22", "corrected", "noise")
    book.say(second, "11-22", "accepted")
    window = Wanted(asked(since="2026-11-20", until="2026-11-22"))
    for verdict, decision in (("accepted", second), ("corrected", first)):
        found = show(engine, replace(window, verdict=verdict))
        assert ([one.row.id for one in found.tickets], found.total) == ([decision], 1)
        assert found.tickets[0].verdict == verdict
    assert show(engine, replace(window, verdict="corrected", instead="noise")).total == 1
    assert show(engine, replace(window, verdict="corrected", instead="leak")).total == 0


@pytest.fixture
def ways(book: Book) -> dict[str, str]:
    """Tickets that were settled in time, late, not at all, and before the window."""
    found = {name: book.decide("11-01", due="11-08") for name in ("done", "late", "open")}
    found["old"] = book.decide("09-01", due="09-08")
    for name in ("done", "late", "open"):
        book.step(found[name], "11-01 01:00", "dispatched")
    book.step(found["old"], "09-01", "dispatched")
    book.step(found["old"], "09-02", "resolved")
    book.step(found["done"], "11-01 20:00", "responded")
    book.step(found["done"], "11-05", "resolved")
    book.step(found["done"], "11-06", "closed", satisfied=True, caller_resolved=True)
    book.step(found["late"], "11-03", "responded")
    book.step(found["late"], "11-20", "closed", satisfied=False)
    book.step(found["late"], "11-20", "resolved")
    return found


def test_the_rates_lead_to_the_tickets_that_make_them(engine: Engine, ways: dict[str, str]) -> None:
    with reading(engine) as connection:
        found = {one.code: (one.numerator, one.denominator) for one in rates(connection, asked().window, {})}
    assert found == {
        "response": (1, 3), "disposal": (2, 3), "timeliness": (1, 3), "closure": (2, 3), "resolution": (1, 1),
        "satisfaction": (1, 2),
    }  # fmt: skip
    names = {decision: name for name, decision in ways.items()}
    for code, (part, whole) in found.items():
        which = Wanted(asked(), rate=code)
        assert len(show(engine, which).tickets) == whole
        assert len(show(engine, replace(which, held="1")).tickets) == part
    wrong = show(engine, Wanted(asked(), rate="timeliness", held="0")).tickets
    assert {names[one.row.id] for one in wrong} == {"late", "open"}


def test_what_happens_after_the_window_does_not_count_in_it(engine: Engine, ways: dict[str, str]) -> None:
    assert ways
    window = asked(since="2026-11-08", until="2026-11-10").window
    with reading(engine) as connection:
        found = {one.code: (one.numerator, one.denominator) for one in rates(connection, window, {})}
    assert (found["disposal"], found["timeliness"], found["satisfaction"]) == ((1, 3), (0, 2), (0, 0))


def test_pages_hold_each_ticket_once_the_newest_first(engine: Engine, book: Book) -> None:
    made = [book.decide("11-20 08:00") for _ in range(7)] + [book.decide("11-21")]  # seven at the same millisecond
    which, seen = Wanted(asked()), []
    while True:
        page = show(engine, which, 3)
        assert page.total == (8 if which.after is None else None)
        seen += [one.row.id for one in page.tickets]
        if not page.after:
            break
        at, _, name = page.after.partition("-")
        which = replace(which, after=(int(at), name))
    assert seen == [made[-1], *sorted(made[:-1], reverse=True)]
    with reading(engine) as connection:
        assert [one.row.id for one in everything(connection, Wanted(asked()), {}, 5)] == seen[:5]


def test_a_word_leads_to_the_tickets_that_hold_it(engine: Engine, book: Book) -> None:
    held = book.decide("11-20", words=["停水"], places=["清泉路"])
    book.decide("11-20", words=["路灯"])
    for kind, word in (("word", "停水"), ("place", "清泉路")):
        assert [one.row.id for one in show(engine, Wanted(asked(), kind=kind, word=word)).tickets] == [held]
    assert show(engine, Wanted(asked(), kind="place", word="停水")).tickets == []


def test_marks_lead_to_their_tickets(engine: Engine, book: Book) -> None:
    human, red = book.decide("11-20", needs_human=True), book.decide("11-20", red_line="燃气泄漏")
    assert [one.row.id for one in show(engine, Wanted(asked(), human=True)).tickets] == [human]
    for kind in ("1", "燃气泄漏"):
        assert [one.row.id for one in show(engine, Wanted(asked(), red=kind)).tickets] == [red]
    assert show(engine, Wanted(asked(), red="火灾")).tickets == []
