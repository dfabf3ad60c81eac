"""The HTTP service: `create_app` builds every part and hands it down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import orjson
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.decider import Decider
from nlp.registry import standing
from serving import decisions, facts, feedback, indicators, operations, outcomes, problems, weeks
from serving.access.access import open_access
from serving.adapters import guzhen, kserve, labelstudio, open311, signalen, signed, wuxi
from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.audit.retention import Limits, retain_all
from serving.batcher import Batcher
from serving.batches import routes as batches
from serving.batches.tidy import tidy
from serving.calls import routes as calls
from serving.desk import routes as desk
from serving.desk.data.expiry import expire
from serving.door.described import REPLIES
from serving.door.doors import guarded
from serving.errands.kinds import KINDS
from serving.errands.runner import Runner
from serving.events.outbox import PROMOTED, Outbox
from serving.events.post import Post
from serving.events.sender import Sender
from serving.events.targets import Targets
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.metrics import Metrics, Observed
from serving.rules.office import Office, open_decider
from serving.secret import open_secret
from serving.service import Service
from serving.settings import Settings
from serving.store.engine import StoreDown, open_engine
from serving.store.schema import migrate
from serving.times import millis
from serving.upkeep import Job, Upkeep

PURPOSE = "读懂每一件诉求：是什么、谁来办、多快办、为什么"
DOORS = (
    decisions, feedback, outcomes, calls, batches, facts, indicators, weeks, operations,
    desk, signalen, open311, labelstudio, kserve, guzhen, wuxi, signed,
)  # fmt: skip
HOURLY = 3600
MINUTELY = 60
TICK = 60.0  # seconds between two looks at what recurs
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(settings: Settings, decider: Decider | None = None) -> FastAPI:
    """The service for these settings; raises `JiesuError` when it must not or cannot start."""
    settings.check_start()
    decider = decider or open_decider(settings)
    decider.router.check(settings.profile)
    service = build(settings, decider)
    # No ReDoc: its page loads a logo from another host.
    app = FastAPIOffline(redoc_url=None, title="jiesu 接诉", version="1", description=PURPOSE, lifespan=living(service))
    app.add_middleware(Observed, metrics=service.metrics)
    guarded(app, settings, service.journal, service.metrics)
    problems.install(app)
    app.state.service = service
    for door in DOORS:
        app.include_router(door.routes(service), responses=REPLIES)
    return app


def build(settings: Settings, decider: Decider) -> Service:
    """The parts that answer; raises `JiesuError` where a setting, the store or a file cannot be used."""
    secret, metrics, engine = open_secret(settings), Metrics(decider.model.name), open_engine(settings.store_url)
    migrate(engine)
    journal = Journal(engine, Chain(secret))
    return Service(
        settings=settings,
        office=Office(decider, settings.rules, settings.profile, None if settings.model else settings.home),
        batcher=Batcher(settings.now),
        journal=journal,
        access=open_access(settings, journal, secret, metrics),
        targets=(targets := Targets.read(settings.webhooks)),
        outbox=Outbox(targets.target, targets.source, settings.now),
        metrics=metrics,
        secret=secret,
    )


def living(service: Service) -> Lifespan:
    """While the service runs: changed rules and promoted models are put in force, errands done, old rows deleted."""
    settings = service.settings
    upkeep = Upkeep(service.journal, jobs(service), settings.now)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        sender = Sender(service.journal, service.targets, settings.now, Post(service.targets), service.metrics)
        service.outbox.wake = sender.wake
        await run_in_threadpool(service.journal.write_now, started(service))
        runner = Runner(service.journal, settings, KINDS, service.office.decider.reader)
        tasks = [asyncio.create_task(upkeep.watch(TICK)), asyncio.create_task(runner.watch())]
        if settings.rules_every:
            tasks.append(asyncio.create_task(watch(service)))
        try:
            async with sender.running():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await run_in_threadpool(service.journal.close)

    return running


def started(service: Service) -> Callable[[Unit], None]:
    """The write that notes, for the audit, that a process has begun to answer."""
    at, model = millis(service.settings.now()), service.office.decider.model.name
    record = Record(id=ulid_now(), at=at, actor="service", action="start", model=model)
    return lambda unit: unit.note(record)


async def watch(service: Service) -> None:
    """Look for changed rules and for another model, again and again."""
    office, metrics = service.office, service.metrics
    while True:
        await asyncio.sleep(service.settings.rules_every)
        await run_in_threadpool(office.refresh)
        metrics.rules_refused(bool(office.refused))
        if await run_in_threadpool(office.refresh_model):
            with suppress(StoreDown):  # told in the log, and by /v1/models/current, all the same
                await run_in_threadpool(tell_of_model, service)
        metrics.model(office.decider.model.name, refused=bool(office.refused_model))


def tell_of_model(service: Service) -> None:
    """Note that this process decides by another model now; all processes together make one event of it."""
    found = standing(service.settings.home)
    name = service.office.decider.model.name
    record = Record(id=ulid_now(), at=millis(service.settings.now()), actor="registry", action="model", object=name)
    told = {"model": name, "since": found.since if found else ""}

    def write(unit: Unit) -> None:
        unit.note(record)
        service.outbox.put(unit, PROMOTED, name, orjson.dumps(told))

    service.journal.write_now(write)


def jobs(service: Service) -> dict[str, Job]:
    """What recurs, and how often."""
    settings = service.settings
    limits = Limits(decisions=settings.keep_days, audit=settings.keep_audit_days)

    def retention() -> str:
        deleted = retain_all(service.journal, millis(settings.now()), limits)
        return "、".join(f"{table} {rows}" for table, rows in deleted.items() if rows) or "ok"

    return {
        "retention": Job(HOURLY, retention),
        "drift": Job(HOURLY, lambda: weeks.observe(service)),
        "desk": Job(HOURLY, lambda: expire(service.journal, settings)),
        "batches": Job(MINUTELY, lambda: tidy(service.journal, settings, service.metrics)),
    }
