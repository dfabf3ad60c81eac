"""Rules change while the service runs: as a whole, or not at all."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp.decider import Decider, Options
from nlp.files import RULES
from nlp.model import Model
from nlp.petition import Petition
from nlp.route.rulebase import Rulebase
from serving.app import create_app
from serving.rules.office import Office
from serving.settings import Settings

GAZETTEER = "名称,类型,社区\n人民路,道路,{unit}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gazetteer.csv").write_text(GAZETTEER.format(unit="甲社区"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def own(model: Model, folder: Path) -> Decider:
    return Decider(model, rules=Rulebase.read(model.taxonomy, folder))


def unit(decider: Decider) -> str:
    options = Options(Settings().now(), evidence=False)
    return decider.decide([Petition("1", "人民路有个坑")], options)[0].places[0].unit


def test_changed_files_are_put_in_force(own: Decider, folder: Path) -> None:
    office = Office(own, folder)
    assert unit(own) == "甲社区"
    assert not office.refresh()
    (folder / "gazetteer.csv").write_text(GAZETTEER.format(unit="乙村社区"), encoding="utf-8")
    assert office.refresh()
    assert unit(own) == "乙村社区"


def test_a_broken_file_leaves_the_old_rules_in_force(
    own: Decider, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(own, folder)
    (folder / "gazetteer.csv").write_text("名称,类型\n人民路,道路\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert not office.refresh()
    assert "gazetteer.csv" in office.refused
    assert caplog.messages == ["rules_refused"]
    assert unit(own) == "甲社区"
    (folder / "gazetteer.csv").write_text(GAZETTEER.format(unit="丙社区"), encoding="utf-8")
    assert office.refresh()
    assert (office.refused, unit(own)) == ("", "丙社区")


def test_a_running_service_takes_up_changes_and_tells_refusals(own: Decider, folder: Path) -> None:
    settings = Settings(insecure=True, rules=folder, rules_every=0.05)
    body = json.dumps({"petitions": [{"id": "1", "text": "人民路有个坑"}], "evidence": False})
    with TestClient(create_app(settings, own)) as client:

        def told() -> str:
            answer = client.post("/v1/decisions", content=body).json()
            return str(answer["decisions"][0]["places"][0]["unit"])

        def waited(done: object) -> bool:
            end = time.monotonic() + 20
            while time.monotonic() < end and not done():  # type: ignore[operator]
                time.sleep(0.05)
            return bool(done())  # type: ignore[operator]

        assert told() == "甲社区"
        (folder / "gazetteer.csv").write_text(GAZETTEER.format(unit="丁街社区"), encoding="utf-8")
        assert waited(lambda: told() == "丁街社区")
        (folder / "catalogue.csv").write_text("编号\n", encoding="utf-8")
        assert waited(lambda: "catalogue.csv" in client.get("/v1/profiles").json()["refused"])
        assert waited(lambda: "jiesu_rules_refused 1.0" in client.get("/metrics").text)
        assert told() == "丁街社区"
        (folder / "catalogue.csv").write_bytes((RULES / "catalogue.csv").read_bytes())
        assert waited(lambda: client.get("/v1/profiles").json()["refused"] == "")


def test_the_profiles_are_told_with_their_levels_and_steps(client: TestClient) -> None:
    answer = client.get("/v1/profiles").json()
    told = {profile["name"]: profile for profile in answer["profiles"]}
    assert len(told) == 9
    assert told["wenjiang"]["chain"][0] == "治理小组"
    assert told["panlong"]["loops"] == ["社区“自循环”", "街道“微循环”", "区级“小循环”"]
    assert answer["catalogue"]["rows"] > 200


def test_rules_without_the_profile_of_the_service_stay_out(own: Decider, folder: Path) -> None:
    (folder / "profiles").mkdir()
    mine = (RULES / "profiles" / "plain.toml").read_text(encoding="utf-8").replace('name = "plain"', 'name = "mine"', 1)
    (folder / "profiles" / "mine.toml").write_text(mine, encoding="utf-8")
    assert Office(own, folder, "mine").refresh() is False
    own.put_in_force(Rulebase.read(own.model.taxonomy, folder))
    office = Office(own, folder, "mine")
    (folder / "profiles" / "mine.toml").unlink()
    assert not office.refresh()
    assert "mine" in office.refused
    assert "mine" in own.router.rules.profiles
