"""What arrives together is decided together, and everyone gets the own answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from nlp.decider import Decider
from nlp.errors import UnknownProfile
from nlp.petition import Petition
from serving.batcher import AT_ONCE, Batcher

NOW = datetime(2026, 11, 23, 1, 12, 3, tzinfo=UTC)
TEXTS = ["楼上漏水", "路灯坏了", "公司拖欠工资", "广场舞太吵", "小区垃圾没人清运"]


class Counted(Decider):
    """Remembers how many petitions each batch had."""

    sizes: list[int]

    def decide(self, petitions: Any, options: Any) -> Any:
        self.sizes.append(len(petitions))
        if any(petition.text == "crash" for petition in petitions):
            raise RuntimeError
        return super().decide(petitions, options)


@pytest.fixture
def counted(decider: Decider) -> Counted:
    result = Counted(decider.model)
    result.sizes = []
    return result


def petitions(request: int, count: int) -> list[Petition]:
    return [Petition(f"{request}-{number}", TEXTS[(request + number) % len(TEXTS)]) for number in range(count)]


async def together(counted: Counted, sizes: list[int], **evidence: bool) -> list[Any]:
    batcher = Batcher(lambda: NOW)
    asked = [
        batcher.decide(counted, petitions(n, size), "plain", **{"evidence": True} | evidence)
        for n, size in enumerate(sizes)
    ]
    return await asyncio.gather(*asked, return_exceptions=True)


def test_requests_of_one_moment_share_a_batch_and_keep_their_own_answers(counted: Counted) -> None:
    sizes = [1, 3, 0, 2]
    answers = asyncio.run(together(counted, sizes))
    assert counted.sizes == [sum(sizes)]
    for number, (size, answer) in enumerate(zip(sizes, answers, strict=True)):
        assert [decision.id for decision in answer] == [petition.id for petition in petitions(number, size)]


def test_a_large_request_has_a_batch_of_its_own(counted: Counted) -> None:
    answers = asyncio.run(together(counted, [1, AT_ONCE + 1, 1]))
    assert [len(answer) for answer in answers] == [1, AT_ONCE + 1, 1]
    assert sorted(counted.sizes) == [2, AT_ONCE + 1]


def test_shared_or_alone_the_answer_is_the_same(counted: Counted) -> None:
    shared = asyncio.run(together(counted, [2, 2, 2]))
    alone = asyncio.run(together(counted, [2]))
    assert [decision.category for decision in shared[0]] == [decision.category for decision in alone[0]]
    assert [decision.evidence for decision in shared[0]] == [decision.evidence for decision in alone[0]]


def test_requests_that_ask_otherwise_are_answered_otherwise(counted: Counted) -> None:
    async def ask() -> list[Any]:
        batcher = Batcher(lambda: NOW)
        return await asyncio.gather(
            batcher.decide(counted, petitions(0, 1), "plain", evidence=True),
            batcher.decide(counted, petitions(0, 1), "wenjiang", evidence=False),
        )

    (plain,), (wenjiang,) = asyncio.run(ask())
    assert plain.route.profile == "plain"
    assert plain.evidence
    assert wenjiang.route.profile == "wenjiang"
    assert not wenjiang.evidence


def test_an_unknown_profile_harms_only_who_asked_for_it(counted: Counted) -> None:
    async def ask() -> list[Any]:
        batcher = Batcher(lambda: NOW)
        return await asyncio.gather(
            batcher.decide(counted, petitions(0, 1), "plain", evidence=True),
            batcher.decide(counted, petitions(1, 1), "atlantis", evidence=True),
            return_exceptions=True,
        )

    good, bad = asyncio.run(ask())
    assert good[0].id == "0-0"
    assert isinstance(bad, UnknownProfile)


def test_a_crash_of_one_request_does_not_take_its_neighbours_along(counted: Counted) -> None:
    async def ask() -> list[Any]:
        batcher = Batcher(lambda: NOW)
        return await asyncio.gather(
            batcher.decide(counted, petitions(0, 1), "plain", evidence=True),
            batcher.decide(counted, [Petition("x", "crash")], "plain", evidence=True),
            return_exceptions=True,
        )

    good, bad = asyncio.run(ask())
    assert isinstance(bad, RuntimeError)
    assert good[0].id == "0-0"


def test_a_request_that_is_given_up_leaves_the_others_their_answers(counted: Counted) -> None:
    async def ask() -> list[Any]:
        batcher = Batcher(lambda: NOW)
        first = asyncio.ensure_future(batcher.decide(counted, petitions(0, 1), "plain", evidence=True))
        second = asyncio.ensure_future(batcher.decide(counted, petitions(1, 1), "plain", evidence=True))
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(first, second, return_exceptions=True)

    gone, stayed = asyncio.run(ask())
    assert isinstance(gone, asyncio.CancelledError)
    assert stayed[0].id == "1-0"
