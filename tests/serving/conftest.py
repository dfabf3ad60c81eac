"""What the tests of serving share: a service in process, and the command line in process."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

import jiesu
from nlp.decider import Decider
from serving.app import create_app
from serving.audit.chain import Chain
from serving.journal.journal import Journal
from serving.service import Service
from serving.settings import Settings
from serving.store.engine import open_engine
from serving.store.schema import migrate
from tests.postgres import Postgres

NOW = "2026-11-23T09:12:03+08:00"
SECRET = b"x" * 32
DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.system))
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this session; a test that needs one fails where none is installed."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test's own: SQLite, and in system tests PostgreSQL as well."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url.partition("@/")[2].partition("?")[0])


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    opened = open_engine(f"sqlite:///{path}")
    migrate(opened)
    opened.dispose()
    return path


@pytest.fixture
def ready_url(store_url: str, migrated: Path) -> str:
    """The database of this test with all its tables; of SQLite a copy, for migrating thousands takes minutes."""
    if store_url.startswith("sqlite"):
        shutil.copyfile(migrated, store_url.removeprefix("sqlite:///"))
    return store_url


@pytest.fixture
def engine(ready_url: str) -> Iterator[Engine]:
    """An engine for the database of this test, with all its tables."""
    opened = open_engine(ready_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def journal(engine: Engine) -> Iterator[Journal]:
    """A journal that writes into the database of this test."""
    opened = Journal(engine, Chain(SECRET))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def client(decider: Decider) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(insecure=True, max_body=4 * 1024 * 1024), decider)) as service:
        yield service


@pytest.fixture
def desk(ready_url: str, tmp_path: Path, decider: Decider) -> Iterator[TestClient]:
    """A service with a store of its own, on each kind of database."""
    settings = Settings(insecure=True, home=tmp_path / "home", store=SecretStr(ready_url), rules_every=0)
    with TestClient(create_app(settings, decider)) as client:
        yield client


@pytest.fixture
def service(desk: TestClient) -> Service:
    """The parts of that service."""
    app: Any = desk.app
    parts: Service = app.state.service
    return parts


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """`jiesu …` in this process, with a home of its own."""
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def called(*arguments: object, stdin: bytes = b"") -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["jiesu", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            jiesu.main()
        out, err = capfdbinary.readouterr()
        return CompletedProcess(sys.argv, int(ended.value.code or 0), out.decode(), err.decode())

    return called


@pytest.fixture
def decide(run: Run, model_folder: Path) -> Run:
    """`jiesu decide …` with the small model, at a fixed time."""

    def called(*arguments: object, stdin: bytes = b"") -> CompletedProcess[str]:
        return run("decide", *arguments, "--model", model_folder, "--now", NOW, stdin=stdin)

    return called


@pytest.fixture
def lines() -> Callable[[list[dict[str, Any]]], bytes]:
    """Petitions as JSONL."""

    def written(petitions: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(petition, ensure_ascii=False).encode() + b"\n" for petition in petitions)

    return written
