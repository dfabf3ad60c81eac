"""The runner: errands are done by processes of their own, told, stopped, and taken up again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from serving.errands import queue
from serving.errands.book import Book, Over
from serving.errands.errand import CANCELLED, DONE, FAILED, RUNNING, WAITING, Errand
from serving.errands.runner import BROKEN, TOO_OFTEN, Pace
from serving.journal.journal import Journal
from serving.store import tables
from tests.serving.errands.conftest import PACE, WHO, Runners, found, until

pytestmark = pytest.mark.anyio
LONG = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
TELLING = """
import os, sys
from nlp.progress import tell
tell("训练", 3, 4)
print("联系人 13812345678", file=sys.stderr)
print(f"写到 {os.environ['JIESU_HOME']}/desk/models/x，{os.environ['TOLD']}，{os.nice(0)}", flush=True)
sys.stdin.read()
"""
FAILING = "import sys; print('jiesu：没有列 正文', file=sys.stderr); sys.exit(2)"


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return b"\nState:\tZ" in Path(f"/proc/{pid}/status").read_bytes()
    return True


async def put(book: Book, *codes: str, kind: str = "do") -> Errand:
    return await book.put(WHO, kind, "a.csv", {"codes": codes})


async def test_an_errand_is_done_and_told(book: Book, runner: Runners, journal: Journal) -> None:
    errand = await put(book, TELLING, "print('第二步')")
    assert await runner().work()
    ended = found(journal, errand)
    assert ended.state == DONE, ended.said
    assert ended.said == ("联系人 [手机号]", f"写到 desk/models/x，x，{min(19, os.nice(0) + 10)}", "第二步")
    assert (ended.step, ended.part, ended.reason) == ("训练", 1.0, "")
    assert not await runner().work()
    actions = journal.read(lambda store: store.execute(select(tables.audit.c.action, tables.audit.c.actor)).all())
    assert [tuple(row) for row in actions] == [("errand.put", "k1"), ("errand.end", "errands")]


async def test_one_that_fails_says_why_and_what_follows_is_not_begun(
    book: Book, runner: Runners, journal: Journal, tmp_path: Path
) -> None:
    errand = await put(book, FAILING, f"open('{tmp_path}/never', 'w')")
    assert await runner().work()
    assert (found(journal, errand).state, found(journal, errand).reason) == (FAILED, "没有列 正文")
    assert not (tmp_path / "never").exists()


async def test_what_nobody_knows_how_to_do_fails(book: Book, runner: Runners, journal: Journal) -> None:
    errand = await put(book, kind="fly")
    assert await runner().work()
    assert "不会做" in found(journal, errand).reason


async def test_one_is_stopped_when_somebody_wants_it(book: Book, runner: Runners, journal: Journal) -> None:
    errand = await put(book, LONG)
    working = asyncio.create_task(runner().work())
    await until(lambda: found(journal, errand).said)
    pid = int(found(journal, errand).said[0])
    await book.cancel(errand, WHO)
    assert await working
    assert found(journal, errand).state == CANCELLED
    assert gone(pid)
    with pytest.raises(Over):
        await book.cancel(errand, WHO)


async def test_two_services_do_one_at_a_time(book: Book, runner: Runners, journal: Journal, tmp_path: Path) -> None:
    noted = f"""
import time
def note(word):
    with open('{tmp_path}/noted', 'a') as out: out.write(word)
note('<'); time.sleep(0.3); note('>')
"""
    errands = [await put(book, noted) for _ in range(4)]
    watching = [asyncio.create_task(runner().watch()) for _ in range(2)]
    await until(lambda: all(found(journal, errand).state == DONE for errand in errands))
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    assert (tmp_path / "noted").read_text() == "<>" * 4


async def test_a_service_that_stops_leaves_its_errand_to_the_next(
    book: Book, runner: Runners, journal: Journal, tmp_path: Path
) -> None:
    first = f"import os; os.path.exists('{tmp_path}/go') or exec({LONG!r})"
    errand = await put(book, first)
    watching = asyncio.create_task(runner().watch())
    await until(lambda: found(journal, errand).said)
    pid = int(found(journal, errand).said[0])
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert gone(pid)
    assert (found(journal, errand).state, found(journal, errand).attempts) == (WAITING, 0)
    (tmp_path / "go").touch()
    assert await runner().work()
    assert found(journal, errand).state == DONE


async def test_what_must_not_run_twice_is_told_as_broken_off(book: Book, runner: Runners, journal: Journal) -> None:
    errand = await put(book, LONG, kind="once")
    watching = asyncio.create_task(runner().watch())
    await until(lambda: found(journal, errand).said)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert (found(journal, errand).state, found(journal, errand).reason) == (FAILED, BROKEN)


@pytest.mark.parametrize(("kind", "state"), [("do", DONE), ("once", FAILED)])
async def test_what_the_dead_have_left(book: Book, runner: Runners, journal: Journal, kind: str, state: str) -> None:
    errand = await put(book, "print('done')", kind=kind)
    assert journal.write_now(lambda unit: queue.claim(unit, "dead", 1, 2))
    assert await runner().work()
    assert found(journal, errand).state == state


async def test_what_brings_the_service_down_is_not_tried_for_ever(
    book: Book, runner: Runners, journal: Journal
) -> None:
    errand = await put(book, "print('done')")
    for at in range(3):
        assert journal.write_now(lambda unit, at=at: queue.claim(unit, "dead", 10 * at + 1, 10 * at + 2))
    assert await runner().work()
    assert found(journal, errand).reason == TOO_OFTEN


async def test_one_that_was_to_be_stopped_when_its_service_died_is_cancelled(
    book: Book, runner: Runners, journal: Journal
) -> None:
    errand = await put(book, LONG)
    assert journal.write_now(lambda unit: queue.claim(unit, "dead", 1, 2))
    await book.cancel(errand, WHO)
    assert await runner().work()
    assert found(journal, errand).state == CANCELLED


async def test_whoever_lost_an_errand_ends_its_process(book: Book, runner: Runners, journal: Journal) -> None:
    errand = await put(book, LONG)
    watching = asyncio.create_task(runner(Pace(PACE.poll, 30.0)).watch())
    await until(lambda: found(journal, errand).said)
    pid = int(found(journal, errand).said[0])
    mine = tables.errands.c.id == errand.id
    journal.write_now(
        lambda unit: unit.connection.execute(tables.errands.update().where(mine).values(owner="other", attempts=2))
    )
    await until(lambda: gone(pid))
    assert found(journal, errand).state == RUNNING
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


def test_its_process_dies_with_the_service(settings: object, tmp_path: Path) -> None:
    code = f"""
import asyncio
from serving.errands.process import running
async def main():
    async with running([{LONG!r}], {{}}) as process:
        async for line in process.lines():
            print(line, flush=True)
asyncio.run(main())
"""
    service = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert service.stdout is not None
    pid = int(service.stdout.readline())
    service.send_signal(signal.SIGKILL)
    service.wait()
    service.stdout.close()
    begun = time.monotonic()
    while not gone(pid):
        assert time.monotonic() - begun < 20
        time.sleep(0.02)


@pytest.mark.parametrize("after", [0.0, 0.002, 0.01, 0.05, 0.2])
async def test_a_service_that_stops_at_any_moment_holds_nothing_up(
    book: Book, runner: Runners, journal: Journal, after: float
) -> None:
    errand = await put(book, LONG)
    watching = asyncio.create_task(runner().watch())
    await asyncio.sleep(after)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert (found(journal, errand).state, found(journal, errand).attempts) == (WAITING, 0)
