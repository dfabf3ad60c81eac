"""Decide together what arrives together: requests of a few turns of the event loop share a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from nlp.decider import Decider, Options
from nlp.decision import Decision
from nlp.petition import Petition

# What is decided in the event loop; a request with more petitions or code points goes to a thread.
AT_ONCE = 64
LONG = 10_000  # 45 ms: what a book takes, nobody else shall wait for
TURNS = 3  # of the event loop, some microseconds each, in which more requests may join a batch


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Petitions of one request, and where their decisions are awaited."""

    decider: Decider
    petitions: Sequence[Petition]
    options: Options
    answer: asyncio.Future[list[Decision]]


class Batcher:
    """Collects small requests for a few turns of the event loop, then decides them in one go.

    Nobody waits for a clock: a request that is alone is decided at once. Each is decided by the decider that was in
    force when it came.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: list[_Waiting] = []

    async def decide(
        self, decider: Decider, petitions: Sequence[Petition], profile: str, *, evidence: bool, high: bool = False
    ) -> list[Decision]:
        """One decision for each petition, in order; the encoder, which `high` asks, has a thread of its own."""
        decider.router.check(profile)
        options = Options(self._now(), profile, evidence, high)
        if high or len(petitions) > AT_ONCE or sum(len(p.text) + len(p.title) for p in petitions) > LONG:
            return await run_in_threadpool(decider.decide, petitions, options)
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._wait, TURNS)
        answer: asyncio.Future[list[Decision]] = loop.create_future()
        self._waiting.append(_Waiting(decider, petitions, options, answer))
        return await answer

    def _wait(self, turns: int) -> None:
        """Let the loop look for more requests a few times before the batch is decided."""
        if turns:
            asyncio.get_running_loop().call_soon(self._wait, turns - 1)
        else:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        groups: dict[tuple[int, str, bool], list[_Waiting]] = {}
        for one in waiting:
            groups.setdefault((id(one.decider), one.options.profile, one.options.evidence), []).append(one)
        for group in groups.values():
            _decide(group)


def _decide(group: list[_Waiting]) -> None:
    """Decide a group in one batch."""
    try:
        options = replace(group[0].options, now=group[-1].options.now)
        decisions = group[0].decider.decide([petition for one in group for petition in one.petitions], options)
    except Exception as error:
        if len(group) > 1:  # one of them is to blame: the others get their answers
            for alone in group:
                _decide([alone])
        elif not group[0].answer.done():
            group[0].answer.set_exception(error)
        return
    start = 0
    for one in group:
        if not one.answer.done():
            one.answer.set_result(decisions[start : start + len(one.petitions)])
        start += len(one.petitions)
