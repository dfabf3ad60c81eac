"""Decide: an answer to everything, in order, the same alone and in a batch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.petitions import Row
from nlp.decider import NOTHING, Decider, Options
from nlp.decision import Decision
from nlp.errors import UnknownProfile
from nlp.petition import Petition
from nlp.reader import READ_AT_MOST
from nlp.taxonomy import TASKS, Taxonomy

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 23, 9, 12, 3, tzinfo=CHINA)
OPTIONS = Options(now=NOW)


@pytest.fixture(scope="module")
def several(petitions: list[Row]) -> list[Petition]:
    return [Petition(row.id, row.text, row.title) for row in petitions]


def decided(decider: Decider, text: str, title: str = "") -> Decision:
    return decider.decide([Petition("1", text, title)], OPTIONS)[0]


def content(decision: Decision) -> dict[str, Any]:
    """Everything but the number that each decision has for itself."""
    return {key: value for key, value in asdict(decision).items() if key != "decision_id"}


def check(decision: Decision, taxonomy: Taxonomy) -> None:
    for task in TASKS:
        answer, known = getattr(decision, task), taxonomy.codes(task)
        choices = [answer, *answer.alternatives]
        assert all(choice.code in known and choice.name for choice in choices)
        assert len({choice.code for choice in choices}) == len(choices)
        assert all(
            0 <= choice.confidence <= 1 and choice.confidence == round(choice.confidence, 4) for choice in choices
        )
        confidences = [choice.confidence for choice in answer.alternatives]
        assert confidences == sorted(confidences, reverse=True)
    assert len(decision.category.alternatives) >= 4
    assert decision.category.path == taxonomy.paths[decision.category.code]
    assert decision.needs_human == bool(decision.reasons)
    assert decision.route.due
    assert decision.masked_text.encode() is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "　\n\t ",
        "\u200b\ufeff",
        "\x00\x01\x07",
        "\ud800\udfff",
        "😀🎉👍",
        "！！！？？？",
        "<p></p>",
        "&nbsp;",
        "---",
        "\u202e\u0301",
        "\n",
    ],
)
def test_where_nothing_can_be_read_a_human_is_asked(decider: Decider, taxonomy: Taxonomy, text: str) -> None:
    decision = decided(decider, text)
    check(decision, taxonomy)
    assert decision.needs_human
    assert decision.reasons == [NOTHING]
    assert decision.evidence == []


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "1234567890",
        "2026 11 23",
        "The water pipe in my building is leaking.",
        "asdfghjkl",
        "x" * 1000,
        "한국어 민원",
        "Утечка воды",
        "١٢٣",
        "谢谢",
        "你好",
    ],
)
def test_what_the_model_never_saw_goes_to_a_human(decider: Decider, taxonomy: Taxonomy, text: str) -> None:
    decision = decided(decider, text)
    check(decision, taxonomy)
    assert decision.needs_human


@pytest.mark.parametrize("text", ["小区漏\ud800水没人管", "漏\x00水\x07没人管", "<b>漏水</b>没人管😀"])
def test_odd_characters_among_words_do_no_harm(decider: Decider, taxonomy: Taxonomy, text: str) -> None:
    decision = decided(decider, text)
    check(decision, taxonomy)
    assert NOTHING not in decision.reasons


@pytest.mark.parametrize("piece", ["楼道漏水没人管。", "漏", "1", "a", "😀", "\u200b", " ", "水 "])
def test_a_megabyte_of_text_gets_a_decision(decider: Decider, taxonomy: Taxonomy, piece: str) -> None:
    decision = decided(decider, piece * (1_000_000 // len(piece)))
    check(decision, taxonomy)
    assert decision.needs_human


def test_a_text_that_was_not_read_to_its_end_goes_to_a_human(decider: Decider) -> None:
    long = "楼道漏水没人管。" * (READ_AT_MOST // 8 + 1)
    assert any(str(READ_AT_MOST) in reason for reason in decided(decider, long).reasons)
    assert any(str(READ_AT_MOST) in reason for reason in decided(decider, "漏水", title=long).reasons)
    assert not any(str(READ_AT_MOST) in reason for reason in decided(decider, "漏水").reasons)


@settings(max_examples=50)
@given(st.lists(st.lists(st.characters(), max_size=30).map("".join), min_size=1, max_size=4))
def test_any_text_gets_a_decision(decider: Decider, taxonomy: Taxonomy, texts: list[str]) -> None:
    asked = [Petition(str(number), text, text[::-1]) for number, text in enumerate(texts)]
    for decision in decider.decide(asked, OPTIONS):
        check(decision, taxonomy)


def test_decisions_come_in_the_order_of_the_petitions(
    decider: Decider, taxonomy: Taxonomy, several: list[Petition]
) -> None:
    decisions = decider.decide(several, OPTIONS)
    assert [decision.id for decision in decisions] == [petition.id for petition in several]
    assert len({decision.decision_id for decision in decisions}) == len(several)
    for decision in decisions:
        check(decision, taxonomy)


def test_a_petition_is_decided_alike_alone_and_in_a_batch(decider: Decider, several: list[Petition]) -> None:
    batch = decider.decide(several, OPTIONS)
    for petition, decision in list(zip(several, batch, strict=True))[::4]:
        assert content(decider.decide([petition], OPTIONS)[0]) == content(decision)


def test_unreadable_neighbours_change_nothing(decider: Decider, several: list[Petition]) -> None:
    odd = [Petition("odd", text) for text in ("", "\ud800", "😀", "漏" * 30_000)]
    mixed = [petition for one in several[:20] for petition in (one, odd[len(one.text) % 4])]
    decisions = decider.decide(mixed, OPTIONS)[::2]
    assert [content(decision) for decision in decisions] == [content(d) for d in decider.decide(several[:20], OPTIONS)]


def test_without_evidence_the_answers_are_the_same(decider: Decider, several: list[Petition]) -> None:
    bare = decider.decide(several[:50], Options(now=NOW, evidence=False))
    full = decider.decide(several[:50], OPTIONS)
    assert all(decision.evidence == [] for decision in bare)
    assert [content(d) | {"evidence": []} for d in full] == [content(d) for d in bare]


def test_threads_may_share_a_decider(decider: Decider, several: list[Petition]) -> None:
    alone = [content(decision) for decision in decider.decide(several[:40], OPTIONS)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: decider.decide(several[:40], OPTIONS), range(8)))
    assert all([content(decision) for decision in result] == alone for result in results)


def test_no_petitions_no_decisions(decider: Decider) -> None:
    assert decider.decide([], OPTIONS) == []


def test_a_clock_runs_from_now_or_from_the_time_of_receipt(decider: Decider) -> None:
    text, utc = "楼道漏水没人管", datetime(2026, 1, 1, tzinfo=UTC)
    now, received = decider.decide([Petition("1", text), Petition("2", text, received_at=utc)], OPTIONS)
    hours = timedelta(hours={"emergency": 2, "urgent": 24, "general": 168, "complex": 360}[now.clock.code])
    assert now.route.due == (NOW + hours).isoformat()
    assert received.route.due == (utc + hours).isoformat()
    assert now.decided_at == received.decided_at == "2026-11-23T09:12:03+08:00"


def test_each_profile_fills_the_route(decider: Decider) -> None:
    for profile in ("plain", "wenjiang"):
        route = decider.decide([Petition("1", "漏水")], Options(now=NOW, profile=profile))[0].route
        assert route.profile == profile
        assert route.unit
    with pytest.raises(UnknownProfile, match="atlantis"):
        decider.decide([Petition("1", "漏水")], Options(now=NOW, profile="atlantis"))


def test_a_red_line_raises_the_clock_and_calls_a_human(decider: Decider) -> None:
    decision = decided(decider, "厨房煤气泄漏，整栋楼都能闻到刺鼻的煤气味")
    assert decision.clock.code == "emergency"
    assert decision.needs_human
    assert any("红线" in reason for reason in decision.reasons)


def test_decisions_hold_no_personal_data(decider: Decider) -> None:
    decision = decided(
        decider, "我叫王小明，电话13812345678，住3栋2单元501室，楼顶漏水", title="王小明先生 13812345678"
    )
    written = str(asdict(replace(decision, decision_id="")))  # a number made by chance may hold any few digits
    assert not any(secret in written for secret in ("王小明", "13812345678", "501"))
    assert decision.masked_text == "我叫[姓名]，电话[手机号]，住3栋2单元[房号]，楼顶漏水"
    assert decision.masked_title == "[姓名]先生 [手机号]"


def test_the_matter_covers_the_text_as_sent(decider: Decider) -> None:
    text = "😀漏\ud800水<b>严重</b>"
    (matter,) = decided(decider, text).matters
    assert (matter.start, matter.end) == (0, len(text))
