"""无锡: work orders as they are pushed, one or many, and the fields of the decision back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.decider import Decider
from serving.adapters import wuxi
from serving.adapters.wuxi import FIELDS, TIME, read_time
from serving.journal import decided
from serving.store import tables
from tests.serving.adapters.desks import DEEP, INJECTIONS, LEAK, MIB, WITHOUT_TAGS, Desk, opened
from tests.serving.adapters.pages import alike, shown

PATH = "/adapters/wuxi/workorders"
ORDER = {
    "workordercode": "GD-20261123-0007", "workordercontent": LEAK, "place": "砚池巷42号", "area": "梅岭街道",
    "dispatchtime": "2026-11-20 08:30:00", "processlimited": "5个工作日", "state": "待处理",
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("wuxi"), wuxi.routes) as open_desk:
        yield open_desk


def refused(desk: Desk, body: bytes, status: int = 422) -> str:
    reply = desk.client.post(PATH, content=body)
    assert reply.status_code == status
    answer = reply.json()
    assert answer == {"success": False, "code": status, "message": answer["message"], "resultData": None}
    return str(answer["message"])


def wrong(**fields: Any) -> bytes:
    return json.dumps([ORDER, {**ORDER, **fields}]).encode()


def test_one_work_order_gets_the_fields_of_its_decision(desk: Desk) -> None:
    reply = desk.client.post(PATH, json=ORDER)
    assert reply.status_code == 200
    answer = reply.json()
    assert (answer["success"], answer["code"]) == (True, 200)
    data = answer["resultData"]
    assert set(data) == {"workordercode", "processlimited", *FIELDS}
    assert data["workordercode"] == data["id"] == ORDER["workordercode"]
    row = next(row for row in desk.rows(tables.decisions) if row.id == data["decision_id"])
    assert (row.category, row.channel, row.petition) == (data["category"]["code"], "wuxi", ORDER["workordercode"])
    assert decided.opened(row.content)["category"] == data["category"]


def test_the_clock_runs_from_the_time_of_dispatch_in_the_offices_zone(desk: Desk) -> None:
    data = desk.client.post(PATH, json=ORDER).json()["resultData"]
    assert data["received_at"] == "2026-11-20T08:30:00+08:00"
    due = datetime.fromisoformat(data["route"]["due"])
    assert datetime.strptime(data["processlimited"], TIME) == due.replace(tzinfo=None)
    assert due.utcoffset() == timedelta(hours=8)


def test_many_are_answered_in_their_order(desk: Desk) -> None:
    orders = [{**ORDER, "workordercode": f"n{number * 7 % 13}"} for number in range(13)]
    data = desk.client.post(PATH, json=orders).json()["resultData"]
    assert [one["workordercode"] for one in data] == [order["workordercode"] for order in orders]
    assert desk.client.post(PATH, json=[]).json()["resultData"] == []


@pytest.mark.parametrize("content", ["", "\0", "ab " * 700_000, *INJECTIONS])
def test_odd_content_is_decided_and_comes_back_as_text(desk: Desk, content: str) -> None:
    order = {**ORDER, "workordercontent": content, "place": content[:100], "dispatchtime": ""}
    data = desk.client.post(PATH, json={**order, "workordercode": content[:50] or "x"}).json()["resultData"]
    assert data["workordercode"] == (content[:50] or "x")
    if content in INJECTIONS:
        assert data["masked_text"] == WITHOUT_TAGS.sub(" ", content)
    else:
        assert data["needs_human"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"workordercode": None}, "[1].workordercode"), ({"workordercode": ""}, "[1].workordercode"),
        ({"workordercode": "x" * 201}, "[1].workordercode"), ({"workordercontent": None}, "[1].workordercontent"),
        ({"workordercontent": ["a"]}, "[1].workordercontent"), ({"place": {"a": 1}}, "[1].place"),
        ({"area": 3}, "[1].area"), ({"dispatchtime": "2026-11-23T09:12:03"}, "[1].dispatchtime"),
        ({"dispatchtime": "2026-02-30 09:12:03"}, "[1].dispatchtime"), ({"dispatchtime": []}, "[1].dispatchtime"),
        ({"dispatchtime": 1764000000}, "[1].dispatchtime"),
        ({"dispatchtime": "0001-01-01 00:00:00"}, "[1].dispatchtime"),
        ({"dispatchtime": "9999-12-31 23:59:59"}, "[1].dispatchtime"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_written(desk: Desk, fields: dict[str, Any], place: str) -> None:
    before = desk.count(tables.decisions)
    assert place in refused(desk, wrong(**fields))
    assert desk.count(tables.decisions) == before


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"null", b"3", b"[1]", b"[[]]", DEEP, b'{"a":' * 100_000, b"\xff"])
def test_what_is_no_work_order_is_refused(desk: Desk, body: bytes) -> None:
    refused(desk, body)


def test_no_more_than_a_thousand_and_no_larger_than_allowed(desk: Desk) -> None:
    small = {"workordercode": "1", "workordercontent": ""}
    assert "1000" in refused(desk, json.dumps([small] * 1001).encode())
    refused(desk, b'{"workordercontent": "' + b"a" * 5 * MIB, 413)


@given(
    st.one_of(
        st.text(), st.integers(), st.none(), st.lists(st.integers()), st.datetimes().map(lambda t: t.strftime(TIME))
    )
)
def test_a_time_is_read_or_refused(written: object) -> None:
    try:
        read = read_time(written)
    except ValueError:
        return
    assert read is None if written in (None, "") else read is not None and 1900 <= read.year < 2200


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    good, bad = shown("wuxi.md")
    for example, status in ((good, 200), (bad, 422)):
        reply = example.asked(desk.client)
        assert reply.status_code == status
        assert alike(reply.json(), example.answer)
