"""Expiry: raw tickets have an end, and what came of them; what is being used, and what is new, stays."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from sqlalchemy import select
from ulid_transform import ulid_at_time

from serving.app import jobs
from serving.desk.data.expiry import expire
from serving.desk.data.folder import Folder
from serving.errands.errand import RUNNING
from serving.service import Service
from serving.settings import Settings
from serving.store import tables
from tests.serving.batches.test_tidy import later
from tests.serving.desk.data.conftest import Put, Send, csv

FAR = 1 << 52  # a claim that holds
MADE = ("uploads", "rows", "reports", "lists", "models")


def standing(folder: Folder) -> set[str]:
    """What there is, as folder/name."""
    return {f"{part}/{path.name}" for part in MADE for path in (folder.root / part).iterdir()}


@pytest.fixture
def settings(service: Service) -> Settings:
    return service.settings


@pytest.fixture
def done(put: Put, folder: Folder) -> str:
    """An errand that has ended, with everything that one may leave behind."""
    errand = put("fit", asked={"upload": "u"}, ended_at=9001).id
    for path in (folder.models(errand), folder.report(errand), folder.rows(errand)):
        path.mkdir()
        (path / "x").write_text("原文", encoding="utf-8")
    folder.listed(errand).write_bytes(b"{}")
    folder.answers(errand).write_bytes(b"{}")
    return errand


def test_everything_has_an_end(service: Service, settings: Settings, send: Send, folder: Folder, done: str) -> None:
    upload = send(csv()).json()["id"]
    folder.settled(upload).write_bytes(b"{}")
    assert expire(service.journal, later(settings, 29.9)) == "1"  # the rows, which nobody is at
    assert len(standing(folder)) == 7
    assert expire(service.journal, later(settings, 30.1)) == "6"
    assert standing(folder) == {f"models/{done}"}
    details, audit = tables.audit_details.c, tables.audit.c
    query = select(details.content).join(tables.audit, audit.id == details.id).where(audit.action == "desk.expire")
    noted = service.journal.read(lambda store: store.scalars(query.order_by(audit.at)).all())
    assert [json.loads(content)["uploads"] for content in noted] == ["0", "3"]


def test_what_an_errand_uses_stays_until_it_has_ended(
    service: Service, settings: Settings, send: Send, folder: Folder, put: Put
) -> None:
    upload = send(csv()).json()["id"]
    errand = put("fit", state=RUNNING, asked={"upload": upload}, owner="x", until=FAR)
    folder.rows(errand.id).mkdir()
    folder.report(errand.id).mkdir()
    held = standing(folder)
    assert expire(service.journal, later(settings, 90)) == "0"
    assert standing(folder) == held


def test_a_model_goes_with_its_errand(service: Service, settings: Settings, folder: Folder, done: str) -> None:
    expire(service.journal, later(settings, 60))
    assert standing(folder) == {f"models/{done}"}
    service.journal.write_now(lambda unit: unit.connection.execute(tables.errands.delete()))
    assert expire(service.journal, settings) == "0"  # a store that was restored knows of no errand
    assert expire(service.journal, later(settings, 60)) == "1"
    assert standing(folder) == set()


def test_what_was_broken_off_goes_after_a_day(service: Service, settings: Settings, send: Send, folder: Folder) -> None:
    old, new = (ulid_at_time((settings.now() - timedelta(days=days)).timestamp()) for days in (2, 0.5))
    for id_ in (old, new):
        (folder.root / "uploads" / f".{id_}").write_bytes(csv())
        (folder.root / "uploads" / f"{id_}.csv").write_bytes(csv())
    assert expire(service.journal, settings) == "2"
    assert standing(folder) == {f"uploads/.{new}", f"uploads/{new}.csv"}


def test_the_last_change_of_a_list_counts(service: Service, settings: Settings, folder: Folder, put: Put) -> None:
    errand = put("next", asked={"upload": ""}, ended_at=9001).id
    folder.listed(errand).write_bytes(b"{}")
    folder.answers(errand).write_bytes(b"{}")
    ago = settings.now().timestamp() - 40 * 86_400
    os.utime(folder.listed(errand), (ago, ago))
    assert expire(service.journal, settings) == "0"
    os.utime(folder.answers(errand), (ago, ago))
    assert expire(service.journal, settings) == "2"


def test_where_there_is_nothing(service: Service, settings: Settings) -> None:
    assert expire(service.journal, settings) == "0"


def test_the_service_looks_by_itself(service: Service) -> None:
    assert jobs(service)["desk"].run() == "0"
