"""A desk: a service built by hand, with its store in a folder, and an app with some of its doors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Table, func, select

from nlp.decider import Decider
from serving import problems
from serving.access.access import open_access
from serving.audit.chain import Chain
from serving.batcher import Batcher
from serving.events.outbox import Outbox
from serving.events.targets import Targets
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.rules.office import Office
from serving.service import Service
from serving.settings import Settings
from serving.store.engine import open_engine
from serving.store.schema import migrate

SECRET = b"x" * 32
MIB = 1024 * 1024
LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商，能不能派人来看看。"
INJECTIONS = (
    "'; DROP TABLE decisions; --",
    '=HYPERLINK("x")',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../../etc/passwd",
)
WITHOUT_TAGS = re.compile("<[^>]+>")  # reading takes mark-up for what it is
DEEP = b"[" * 100_000


@dataclass(frozen=True)
class Desk:
    """A client, and the service that answers it."""

    client: TestClient
    service: Service

    def rows(self, table: Table) -> list[Any]:
        """All rows of a table."""
        return list(self.service.journal.read(lambda connection: connection.execute(select(table)).all()))

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        query = select(func.count()).select_from(table)
        found: int = self.service.journal.read(lambda connection: connection.execute(query).scalar_one())
        return found


@contextmanager
def opened(decider: Decider, folder: Path, *doors: Callable[[Service], APIRouter], **given: Any) -> Iterator[Desk]:
    """A desk; nobody needs a key unless `insecure=False` is given."""
    settings = Settings(**{"insecure": True, "home": folder, "max_body": 4 * MIB, **given})
    engine = open_engine(f"sqlite:///{folder / 'store.db'}")
    migrate(engine)
    journal, metrics = Journal(engine, Chain(SECRET)), Metrics(decider.model.name)
    targets = Targets.read(None)
    service = Service(
        settings=settings, office=Office(decider, None), batcher=Batcher(settings.now), journal=journal,
        access=open_access(settings, journal, SECRET, metrics), targets=targets,
        outbox=Outbox(targets.target, targets.source, settings.now), metrics=metrics, secret=SECRET,
    )  # fmt: skip
    app = FastAPI(version="1")
    problems.install(app)
    for routes in doors:
        app.include_router(routes(service))
    try:
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Desk(client, service)
    finally:
        journal.close()
