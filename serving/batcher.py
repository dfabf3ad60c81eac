"""Decide together what arrives together: requests of a few turns of the event loop share a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from nlp.decider import Decider, Options
from nlp.decision import Decision
from nlp.petition import Petition

# What is decided in the event loop; a request with more petitions or code points goes to a thread.
AT_ONCE = 64
LONG = 50_000
TURNS = 3  # of the event loop, some microseconds each, in which more requests may join a batch


class Batcher:
    """Collects small requests for a few turns of the event loop, then decides them in one go.

    Nobody waits for a clock: a request that is alone is decided at once.
    """

    def __init__(self, decider: Decider, now: Callable[[], datetime]) -> None:
        self._decider = decider
        self._now = now
        self._waiting: list[tuple[Sequence[Petition], Options, asyncio.Future[list[Decision]]]] = []

    async def decide(
        self, petitions: Sequence[Petition], profile: str, *, evidence: bool, high: bool = False
    ) -> list[Decision]:
        """One decision for each petition, in order; the encoder, which `high` asks, has a thread of its own."""
        self._decider.router.check(profile)
        options = Options(self._now(), profile, evidence, high)
        if high or len(petitions) > AT_ONCE or sum(len(p.text) + len(p.title) for p in petitions) > LONG:
            return await run_in_threadpool(self._decider.decide, petitions, options)
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._wait, TURNS)
        answer: asyncio.Future[list[Decision]] = loop.create_future()
        self._waiting.append((petitions, options, answer))
        return await answer

    def _wait(self, turns: int) -> None:
        """Let the loop look for more requests a few times before the batch is decided."""
        if turns:
            asyncio.get_running_loop().call_soon(self._wait, turns - 1)
        else:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        groups: dict[tuple[str, bool], list[int]] = {}
        for number, (_, options, _) in enumerate(waiting):
            groups.setdefault((options.profile, options.evidence), []).append(number)
        for numbers in groups.values():
            self._decide([waiting[number] for number in numbers])

    def _decide(self, group: list[tuple[Sequence[Petition], Options, asyncio.Future[list[Decision]]]]) -> None:
        try:
            options = replace(group[0][1], now=group[-1][1].now)
            decisions = self._decider.decide([petition for petitions, _, _ in group for petition in petitions], options)
        except Exception as error:
            if len(group) > 1:  # one of them is to blame: the others get their answers
                for alone in group:
                    self._decide([alone])
            elif not group[0][2].done():
                group[0][2].set_exception(error)
            return
        start = 0
        for petitions, _, answer in group:
            if not answer.done():
                answer.set_result(decisions[start : start + len(petitions)])
            start += len(petitions)
