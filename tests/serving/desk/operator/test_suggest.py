"""Suggestions: the decision, what is hidden and what is red, by code points; and nothing of it is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import tzinfo
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from nlp.petition import Petition
from nlp.reader import READ_AT_MOST, Reader, Reading
from serving.desk.operator.asked import Asked
from serving.service import Service
from serving.store import tables
from tests.serving.desk.operator.conftest import LEAK, NAME, PERSONAL, PHONE

Suggest = Callable[..., dict[str, Any]]


def test_a_suggestion_is_the_decision_and_is_not_kept(desk: TestClient, service: Service, suggest: Suggest) -> None:
    told = suggest(LEAK, id="A-1")
    decided = desk.post("/v1/decisions", json={"petitions": [{"id": "A-1", "text": LEAK}]}).json()["decisions"][0]
    for name in ("category", "tier", "clock", "type", "evidence", "needs_human", "reasons"):
        assert told["decision"][name] == decided[name]
    assert told["alarm"] is None
    assert told["corrected"] is None
    kept = service.journal.read(lambda store: store.scalar(select(func.count()).select_from(tables.decisions)))
    assert kept == 1


@pytest.mark.parametrize("before", ["", "😀", "𠮷野家门口，", "<p>您好</p>", "👨‍👩‍👧 "])
def test_spans_count_code_points_of_what_was_sent(suggest: Suggest, before: str) -> None:
    text = before + PERSONAL
    told = suggest(text)
    hidden = [text[mask["start"] : mask["end"]] for mask in told["masks"] if mask["text"].startswith("[")]
    assert hidden == [NAME, PHONE]
    assert all(text[word["start"] : word["end"]] == word["text"] for word in told["decision"]["evidence"])
    places = [(mask["start"], mask["end"]) for mask in told["masks"]]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))


def test_a_red_line_is_shown_where_it_stands(suggest: Suggest) -> None:
    text = f"😀{NAME}说没事。我叫{NAME}，家里煤气泄漏，味道很浓，有人晕倒"
    alarm = suggest(text)["alarm"]
    assert alarm["name"] == "燃气泄漏"
    assert "".join(text[span["start"] : span["end"]] for span in alarm["spans"]) == "煤气泄漏"
    assert {span["field"] for span in alarm["spans"]} == {"text"}
    assert suggest(LEAK, title="家里煤气泄漏，有人晕倒")["alarm"]["spans"][0]["field"] == "title"


def test_a_correction_shows_where_it_then_goes(suggest: Suggest) -> None:
    first = suggest(LEAK)
    told = suggest(LEAK, right={"category": "noise", "tier": "district"})
    assert told["decision"]["category"] == first["decision"]["category"]
    assert told["corrected"]["category"] == "noise"
    assert told["corrected"]["tier"] == "district"
    assert told["corrected"]["route"]["rule"] != first["decision"]["route"]["rule"]


@pytest.mark.parametrize("text", ["", " \n", "12345", "<script>alert(1)</script>", "？？？"])
def test_odd_texts_are_answered(suggest: Suggest, text: str) -> None:
    assert suggest(text)["decision"]["needs_human"]


def test_a_huge_text_is_read_as_far_as_it_would_be(suggest: Suggest) -> None:
    told = suggest(LEAK * 100_000)
    assert told["decision"]["category"]["code"] == suggest(LEAK)["decision"]["category"]["code"]
    assert any(str(READ_AT_MOST) in reason for reason in told["decision"]["reasons"])
    assert max(mask["end"] for mask in [*told["masks"], {"end": 0}]) <= READ_AT_MOST + 1


def test_what_does_not_fit_is_refused_without_a_word_of_it(desk: TestClient) -> None:
    for wrong in ({"text": 13987654321}, {"text": LEAK, "right": {"category": "没有这个"}}, {"text": LEAK, "right": 1}):
        reply = desk.post("/desk/suggest", json=wrong)
        assert reply.status_code == 422
        assert PHONE not in reply.text
    assert desk.post("/desk/suggest", content=b"{").status_code == 422


def test_its_time_runs_from_when_the_call_began_in_the_offices_zone(suggest: Suggest) -> None:
    told = suggest(LEAK, received_at="2026-11-22T23:12:03.000Z")
    assert told["decision"]["received_at"] == "2026-11-23T07:12:03+08:00"
    assert told["decision"]["route"]["due"].endswith("T07:12:03+08:00")


def test_a_ticket_that_was_settled_says_so(suggest: Suggest, settle: Any) -> None:
    assert suggest(LEAK, id="A-17")["settled"] is None
    assert settle(LEAK, verdict="corrected", right={"category": "noise"}).status_code == 200
    settled = suggest(LEAK, id="A-17")["settled"]
    assert settled["verdict"] == "corrected"
    assert settled["codes"] == {"category": "noise"}
    assert settled["mine"]


def test_no_long_text_is_read_in_the_event_loop(suggest: Suggest, monkeypatch: pytest.MonkeyPatch) -> None:
    loops, read = [], Reader.fields

    def noted(reader: Reader, sources: list[str]) -> Reading:
        loops.append(threading.current_thread() is looping[0])
        return read(reader, sources)

    looping: list[threading.Thread] = []
    begun = Asked.begun

    def begin(asked: Asked, zone: tzinfo) -> Petition:
        looping.append(threading.current_thread())
        return begun(asked, zone)

    monkeypatch.setattr(Asked, "begun", begin)
    monkeypatch.setattr(Reader, "fields", noted)
    assert suggest(PERSONAL * 400, right={"category": "noise"})["masks"]
    assert len(loops) > 1
    assert not any(loops)
