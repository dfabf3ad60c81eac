"""A crew: several processes that decide chunks, each with a model of its own, in the order of the source."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread

from nlp.errors import JiesuError
from serving.backlog.work import Work
from serving.backlog.workers import Bench, Chunk

AHEAD = 2  # chunks that a worker has at a time: one in work, one to go on with


class WorkerLost(JiesuError):
    """一个工作进程意外结束（{reason}），可能是内存不够；已做完的都在，用同样的命令加 --resume 接着做"""


class WorkFailed(JiesuError):
    """{reason}"""


def decided_by_processes(bench: Bench, chunks: Iterable[Chunk], count: int) -> Iterator[tuple[int, bytes]]:
    """Each chunk's answer in order, made by `count` processes; at most `AHEAD` chunks for each are in memory.

    Raises `WorkerLost` when one ends, `WorkFailed` for what one has to say.
    """
    with _crew(bench, count) as crew:
        waiting = iter(chunks)
        ready: dict[int, bytes] = {}
        order: list[int] = []
        while True:
            _hand_out(crew, waiting, order, most=AHEAD * count)
            if not order:
                return
            while order[0] not in ready:
                ready.update(_finished(crew))
                _hand_out(crew, waiting, order, most=AHEAD * count)
            number = order.pop(0)
            yield number, ready.pop(number)


@dataclass
class _Hand:
    """A process and the line to it. held: the chunks that it has."""

    process: BaseProcess
    line: Connection
    held: int = 0


def _hand_out(crew: Sequence[_Hand], waiting: Iterator[Chunk], order: list[int], *, most: int) -> None:
    """Give chunks to whoever has the fewest, until everybody has enough or `most` are not yet passed on."""
    while len(order) < most:
        hand = min(crew, key=lambda one: one.held)
        if hand.held >= AHEAD or (chunk := next(waiting, None)) is None:
            return
        order.append(chunk[0])
        hand.held += 1
        try:
            hand.line.send(chunk)
        except OSError as error:
            raise _lost(hand) from error


def _finished(crew: Sequence[_Hand]) -> dict[int, bytes]:
    """The answers that have come, at least one."""
    found: dict[int, bytes] = {}
    for line in wait([hand.line for hand in crew if hand.held]):
        hand = next(one for one in crew if one.line is line)
        try:
            number, answer, reason, code = hand.line.recv()
        except (EOFError, OSError) as error:
            raise _lost(hand) from error
        if reason:
            failed = WorkFailed(reason=reason)
            failed.exit_code = code
            raise failed
        hand.held -= 1
        found[number] = answer
    return found


def _lost(hand: _Hand) -> WorkerLost:
    hand.process.join(5)
    code = hand.process.exitcode or 0
    return WorkerLost(reason=signal.strsignal(-code) if code < 0 else f"退出码 {code}")


@contextmanager
def _crew(bench: Bench, count: int) -> Iterator[list[_Hand]]:
    """Processes that are started, and are gone at the end."""
    crew = []
    context = get_context("spawn")  # a copy of this process would hold its threads' locks
    try:
        for _ in range(count):
            line, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, bench), daemon=True)
            with _ignored():
                process.start()
            theirs.close()  # so that its end is seen here when it dies
            crew.append(_Hand(process, line))
        yield crew
    finally:
        for hand in crew:
            hand.line.close()
            hand.process.kill()
        for hand in crew:
            hand.process.join()


@contextmanager
def _ignored() -> Iterator[None]:
    """Workers leave it to the run to end when somebody presses Ctrl-C: they are born deaf to it."""
    try:
        held = {kind: signal.signal(kind, signal.SIG_IGN) for kind in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread, where nobody hears signals anyway
        held = {}
    try:
        yield
    finally:
        for kind, handler in held.items():
            signal.signal(kind, handler)


def _serve(line: Connection, bench: Bench) -> None:
    """The life of a worker: it ends when its chunks do, or when the run is gone."""
    chunks: queue.Queue[Chunk | None] = queue.Queue()
    Thread(target=_take, args=(line, chunks), daemon=True).start()  # else both ends could wait for each other's reading
    work: Work | None = None
    while (chunk := chunks.get()) is not None:
        number, rows = chunk
        try:
            work = work or bench.opened()
            answer = number, work(number, rows), "", 0
        except JiesuError as error:
            answer = number, b"", str(error), error.exit_code
        except Exception as error:
            answer = number, b"", f"内部错误 {type(error).__name__}", 1
        try:
            line.send(answer)
        except OSError:
            return


def _take(line: Connection, chunks: queue.Queue[Chunk | None]) -> None:
    while True:
        try:
            chunks.put(line.recv())
        except (EOFError, OSError):
            chunks.put(None)
            return
