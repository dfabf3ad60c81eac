"""The runner: every process that serves looks whether an errand waits, and the first one to claim it has it done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.errors import JiesuError
from nlp.reader import Reader
from serving.audit.record import FAILED as WRONG
from serving.audit.record import OK, Record
from serving.errands import queue
from serving.errands.errand import CANCELLED, DONE, FAILED, FAULT, STOPPING, Errand
from serving.errands.kind import Command, Kind
from serving.errands.process import running
from serving.errands.queue import Lost, Told
from serving.errands.telling import Telling
from serving.journal.journal import Journal, Write
from serving.journal.unit import Unit
from serving.settings import Settings
from serving.store.engine import StoreDown
from serving.times import millis

ATTEMPTS = 3
BROKEN = "做到一半，服务停了，不知道做到了哪里；请看看是否已经生效，需要的话再来一次"
TOO_OFTEN = f"试了 {ATTEMPTS} 次，每次服务都在中途停了，不再试"
UNKNOWN = "这个版本不会做这件事"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often a runner looks for an errand and tells of it, and how long its claim holds: seconds."""

    poll: float = 1.0
    lease: float = 30.0


class Wanted(JiesuError):
    """有人要它停下"""


class Runner:
    """Does errands for as long as it is let."""

    def __init__(
        self, journal: Journal, settings: Settings, kinds: Mapping[str, Kind], reader: Reader, pace: Pace = Pace()
    ) -> None:
        self.id = ulid_now()
        self._journal = journal
        self._settings = settings
        self._kinds = kinds
        self._reader = reader
        self._pace = pace

    async def watch(self) -> None:
        """Do one errand after the other; when it is cancelled, the one at work is given back, or told as broken off."""
        while True:
            try:
                worked = await self.work()
            except StoreDown as error:
                log.warning("errands_wait", extra={"reason": str(error)})
                worked = False
            except Lost:
                worked = False
            except Exception as error:  # whatever is wrong with one errand, the others shall be done
                log.error("errand_broke", extra={"runner": self.id}, exc_info=error)
                worked = False
            if not worked:
                await asyncio.sleep(self._pace.poll)

    async def work(self) -> bool:
        """Do one; false where none waits, or another one is being done. Raises `StoreDown`, `Lost`."""
        claiming = asyncio.ensure_future(self._claimed())
        try:
            errand = await asyncio.shield(claiming)
        except asyncio.CancelledError:  # what has begun is finished first, and what was claimed is given back
            with suppress(StoreDown):
                await self._unclaim(await claiming)
            raise
        if errand is None:
            return False
        log.info("errand_begins", extra={"errand": errand.id, "kind": errand.kind, "attempt": errand.attempts})
        kind = self._kinds.get(errand.kind)
        told = Told(errand.step, errand.part, errand.said)
        if errand.state == STOPPING:
            await self._end(errand, CANCELLED, told)
        elif kind is None or (errand.attempts > 1 and kind.once) or errand.attempts > ATTEMPTS:
            await self._end(errand, FAILED, _why(told, UNKNOWN if not kind else BROKEN if kind.once else TOO_OFTEN))
        else:
            await self._do(errand, kind)
        return True

    async def _claimed(self) -> Errand | None:
        """The next one, now this runner's; raises `StoreDown`."""
        if not await run_in_threadpool(self._journal.read, queue.due):
            return None
        now, until = self._now(), self._until()
        return await self._journal.write(lambda unit: queue.claim(unit, self.id, now, until))

    async def _unclaim(self, errand: Errand | None) -> None:
        """Give one back that was not begun; raises `StoreDown`."""
        now = self._now()
        if errand and errand.attempts == 1:  # else others have begun it before: its claim runs out as theirs did
            with suppress(Lost):
                await self._journal.write(lambda unit: queue.release(unit, errand, now))

    async def _do(self, errand: Errand, kind: Kind) -> None:
        """Have it done, and write how it ended."""
        home = {f"{self._settings.home}/": "", **kind.names(self._settings, errand)}
        telling = Telling(self._reader, home)
        try:
            state = await self._commands(errand, kind, telling)
        except Wanted:
            state = CANCELLED
        except asyncio.CancelledError:
            await asyncio.shield(self._leave(errand, kind, telling.told))
            raise
        except JiesuError as error:
            if isinstance(error, Lost | StoreDown):
                raise
            telling.hear(f"{FAULT}{error}")
            state = FAILED
        await self._end(errand, state, replace(telling.told, part=1.0) if state == DONE else telling.told)

    async def _commands(self, errand: Errand, kind: Kind, telling: Telling) -> str:
        """Run its commands; how it ended. Raises `Wanted`, `Lost`, and what `kind.commands` raises."""
        for command in await run_in_threadpool(kind.commands, self._settings, errand):
            if await self._run(errand, command, telling):
                return FAILED
        return DONE

    async def _run(self, errand: Errand, command: Command, telling: Telling) -> int:
        """Run a command, telling how far it is; its exit code. Raises `Wanted`, `Lost`."""
        async with running(command.words, {**self._environment(), **command.environment}) as process:
            listening = asyncio.create_task(telling.listen(process.lines()))
            try:
                beaten = time.monotonic()
                while not (await asyncio.wait({listening}, timeout=self._pace.poll))[0]:
                    beaten = await self._beat(errand, telling.told, beaten)
                return await process.wait()
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _beat(self, errand: Errand, told: Told, last: float) -> float:
        """Renew the claim; when that was done last. Raises `Wanted`, and `Lost` where the claim has run out."""
        until, now = self._until(), time.monotonic()
        try:
            if await self._journal.write(lambda unit: queue.beat(unit, errand, told, until)):
                raise Wanted
        except StoreDown as error:
            log.warning("errand_waits", extra={"errand": errand.id, "reason": str(error)})
            if now - last > self._pace.lease:
                raise Lost from error
            return last
        return now

    def _environment(self) -> dict[str, str]:
        """What a command needs to know of this service that it cannot find where this service did."""
        settings = self._settings
        held = {
            "JIESU_HOME": str(settings.home),
            "JIESU_STORE": settings.store_url,
            "JIESU_TIMEZONE": settings.timezone,
        }
        return held | ({"JIESU_SECRET": settings.secret.get_secret_value()} if settings.secret else {})

    async def _leave(self, errand: Errand, kind: Kind, told: Told) -> None:
        """The service stops: the next one begins anew, unless it must not."""
        log.info("errand_left", extra={"errand": errand.id, "kind": errand.kind})
        now = self._now()
        with suppress(Lost, StoreDown):  # where the store is gone, the claim runs out
            if kind.once:
                await self._end(errand, FAILED, _why(told, BROKEN))
            else:
                await self._journal.write(lambda unit: queue.release(unit, errand, now))

    async def _end(self, errand: Errand, state: str, told: Told) -> None:
        """Write how it ended; raises `Lost`, `StoreDown`."""
        now, detail = self._now(), {"kind": errand.kind, "state": state}
        record = Record(
            id=ulid_now(), at=now, actor="errands", action="errand.end", object=errand.id,
            outcome=WRONG if state == FAILED else OK, detail=detail,
        )  # fmt: skip
        log.info("errand_ended", extra={"errand": errand.id, **detail})

        def write(unit: Unit) -> None:
            queue.finish(unit, errand, state, told, now)
            unit.note(record)

        await self._insist(write)
        kind = self._kinds.get(errand.kind)
        if kind:
            await run_in_threadpool(kind.after, self._settings, errand)

    async def _insist(self, write: Write[None]) -> None:
        """Write, again and again while the claim may hold; raises `StoreDown` after that."""
        begun = time.monotonic()
        while True:
            try:
                await self._journal.write(write)
                return
            except StoreDown:
                if time.monotonic() - begun > self._pace.lease:
                    raise
                await asyncio.sleep(self._pace.poll)

    def _now(self) -> int:
        return millis(self._settings.now())

    def _until(self) -> int:
        return self._now() + round(1000 * self._pace.lease)


def _why(told: Told, reason: str) -> Told:
    """What was told, and in the end why it is over."""
    return replace(told, said=(*told.said, f"{FAULT}{reason}"))
