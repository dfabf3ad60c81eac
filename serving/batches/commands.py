"""The commands of batches: work at them, list them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from serving.batches import queue
from serving.batches.bench import Bench
from serving.batches.worker import Tools, Worker
from serving.events.outbox import Outbox
from serving.events.targets import Targets
from serving.journal.opening import opened_journal
from serving.logs import start_logging
from serving.options import read_settings
from serving.times import moment

SHOWN = 200
TITLES = ("编号", "密钥", "状态", "文件", "块", "行", "需人工", "读不了", "送来", "原因")
batches_commands = typer.Typer(no_args_is_help=True, help="经 HTTP 送来的各批：在这台机器上办，或列出来。")


@batches_commands.command("work")
def work_command(
    nice: Annotated[int, typer.Option(min=0, max=19, help="让路的程度：越大越让着别的进程")] = 10,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="没有可办的了就结束")] = False,
    attached: Annotated[bool, typer.Option("--attached", hidden=True)] = False,
) -> None:
    """办经 HTTP 送来的各批，一块接一块，直到叫停；可以在几台机器上各开几个。"""
    settings = read_settings()
    start_logging(settings.log_level)
    os.nice(nice)
    os.umask(0o077)
    stop = stopping(attached=attached)
    targets = Targets.read(settings.webhooks)
    outbox = Outbox(targets.target, targets.source, settings.now)
    with opened_journal(settings) as journal:
        worker = Worker(Tools(settings, journal, outbox, Bench(settings)), stop)
        if until_empty:
            while not stop.is_set() and worker.work():
                pass
        else:
            worker.run()


def stopping(*, attached: bool) -> threading.Event:
    """Set when this process is told to end; attached: also when whoever holds its standard input is gone."""
    stop = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stop.set())
    if attached:

        def wait() -> None:
            sys.stdin.buffer.read()
            stop.set()

        threading.Thread(target=wait, name="attached", daemon=True).start()
    return stop


@batches_commands.command("list")
def list_command(
    most: Annotated[int, typer.Option(min=1, help="最多列几批")] = SHOWN,
) -> None:
    """列出最近的各批，所有密钥的。"""
    settings = read_settings()
    table = Table(*TITLES)
    with opened_journal(settings) as journal:
        for one in journal.read(lambda store: queue.latest(store, most)):
            time = moment(one.at, settings.zone).isoformat(timespec="minutes")
            chunks = f"{one.done}/{one.chunks if one.chunks is not None else '?'}"
            counts = [str(one.counts[name]) for name in ("read", "human", "rejected")]
            words = [one.id, one.key, one.state, one.name, chunks, *counts, time, one.reason]
            table.add_row(*map(Text, words))
    Console().print(table)
