"""The service changes its model while requests come in: none fails, and a broken model stays out."""

from __future__ import annotations

import gc
import json
import logging
import shutil
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from corpora.default import default_folder
from nlp.decider import Decider
from nlp.model import Model, load
from nlp.petition import Petition
from nlp.registry import CURRENT, DEFAULT, Standing, models_folder
from nlp.taxonomy import TASKS, Taxonomy
from serving.app import create_app
from serving.rules.office import Office
from serving.settings import Settings
from training.dataset import Dataset
from training.fitting import Recipe, fit
from training.heads import FitSettings

TEXT = "楼上卫生间一直往我家滴水，天花板都泡黄了。"
PATIENCE = 60  # seconds; the machine may be busy


@pytest.fixture(scope="module")
def second(
    petitions: list[Any], corpus: list[Any], taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Another small model, fitted on other rows that hold every label a few times."""
    taken = {row.id for row in petitions}
    held: Counter[tuple[str, str]] = Counter()
    rows = []
    for row in corpus:
        labels = [(task, getattr(row, task)) for task in TASKS]
        if row.id not in taken and any(held[label] < 6 for label in labels):
            rows.append(row)
            held.update(labels)
    columns = {task: [getattr(row, task) for row in rows] for task in TASKS}
    dataset = Dataset([Petition(row.id, row.text, row.title) for row in rows], columns, "others", "1" * 64)
    folder = tmp_path_factory.mktemp("second") / "second"
    fit(dataset, taxonomy, Recipe(heads=FitSettings(jobs=1)), lambda _what, _steps: None).model.save(folder, "second")
    return folder


@pytest.fixture
def home(tmp_path: Path, model_folder: Path, second: Path) -> Path:
    """A home with the default model and the other one, which nobody promoted yet."""
    shutil.copytree(model_folder, default_folder(tmp_path))
    shutil.copytree(second, models_folder(tmp_path) / "second")
    return tmp_path


@pytest.fixture
def office(home: Path, model: Model) -> Office:
    return Office(Decider(model), None, home=home)


def point(home: Path, name: str) -> None:
    """Put a version in use, as a promotion or a rollback does."""
    draft = models_folder(home) / ".draft"
    draft.write_text(json.dumps(Standing(name, time.strftime("%FT%T"), (DEFAULT,)).as_dict()), encoding="utf-8")
    draft.replace(models_folder(home) / CURRENT)


def waited(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.02)
    return False


def test_a_promotion_and_a_rollback_change_the_decider(office: Office, home: Path, model: Model, second: Path) -> None:
    before = office.decider
    assert not office.refresh_model()
    point(home, "second")
    assert office.refresh_model()
    assert office.decider.model.name == load(second).name
    assert before.model is model  # whoever holds the old one goes on with it
    assert not office.refresh_model()
    point(home, DEFAULT)
    assert office.refresh_model()
    assert office.decider.model.name == model.name


def test_a_model_that_was_promoted_while_the_service_started_is_taken_up(home: Path, model: Model) -> None:
    point(home, "second")
    office = Office(Decider(model), None, home=home)
    assert office.refresh_model()
    assert not Office(office.decider, None, home=home).refresh_model()


def test_the_default_does_not_change_while_nothing_was_promoted(office: Office, home: Path, second: Path) -> None:
    shutil.rmtree(default_folder(home))
    shutil.copytree(second, default_folder(home))
    assert not office.refresh_model()
    assert office.refused_model == ""


def test_a_model_set_by_hand_never_changes(home: Path, model: Model) -> None:
    office = Office(Decider(model), None)
    point(home, "second")
    assert not office.refresh_model()


@pytest.mark.parametrize("fault", ["tensors", "manifest", "gone", "current", "path"])
def test_a_broken_model_stays_out_and_is_tried_again_when_it_changes(
    office: Office, home: Path, model: Model, second: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = models_folder(home) / "second"
    point(home, "../second" if fault == "path" else "second")
    if fault in {"tensors", "manifest"}:
        path = folder / ("tensors.safetensors" if fault == "tensors" else "manifest.json")
        path.write_bytes(path.read_bytes()[:-20])
    elif fault == "gone":
        shutil.rmtree(folder)
    elif fault == "current":
        (models_folder(home) / CURRENT).write_text('{"name": "seco', encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert not office.refresh_model()
        assert not office.refresh_model()
    assert caplog.messages == ["model_refused"]
    assert "不能使用" in office.refused_model
    assert office.decider.model.name == model.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(second, folder)
    point(home, "second")
    assert office.refresh_model()
    assert office.refused_model == ""


def test_after_a_refusal_the_model_in_use_may_be_named_again(office: Office, home: Path) -> None:
    point(home, "gone")
    office.refresh_model()
    assert office.refused_model
    point(home, DEFAULT)
    assert not office.refresh_model()
    assert office.refused_model == ""


def test_a_model_that_the_rules_do_not_fit_stays_out(office: Office, home: Path, model: Model) -> None:
    told = json.loads(json.dumps(model.taxonomy.as_dict()).replace('"emergency"', '"at_once"'))
    strange = replace(model, taxonomy=Taxonomy.from_dict(told, Path("own")))
    strange.save(models_folder(home) / "strange", "strange")
    point(home, "strange")
    assert not office.refresh_model()
    assert office.refused_model
    assert office.decider.model.name == model.name


def test_broken_rule_files_do_not_hold_up_a_model_of_the_same_taxonomy(
    home: Path, model: Model, second: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    office = Office(Decider(model), rules, home=home)
    (rules / "catalogue.csv").write_text("编号\n", encoding="utf-8")
    office.refresh()
    assert office.refused
    point(home, "second")
    assert office.refresh_model()
    assert office.decider.model.name == load(second).name


def test_the_old_decider_is_let_go(office: Office, home: Path) -> None:
    old = weakref.ref(office.decider)
    point(home, "second")
    gc.collect()
    gc.disable()
    try:
        assert office.refresh_model()
        assert old() is None
    finally:
        gc.enable()


@pytest.fixture
def client(home: Path, model: Model) -> Iterator[TestClient]:
    settings = Settings(insecure=True, home=home, rules_every=0.05)
    with TestClient(create_app(settings, Decider(model))) as service:
        yield service


def test_no_request_fails_while_models_change(client: TestClient, home: Path, model: Model, second: Path) -> None:
    names, failed, stop = Counter[str](), [], threading.Event()
    bodies = [{"petitions": [{"id": str(n), "text": TEXT} for n in range(size)], "evidence": False} for size in (1, 80)]

    def send(body: dict[str, Any]) -> None:
        while not stop.is_set():
            reply = client.post("/v1/decisions", json=body)
            told = {decision["model"] for decision in reply.json().get("decisions", [])}
            if reply.status_code != 200 or len(told) != 1:
                failed.append(reply.text)
            names.update(told)

    def current() -> str:
        return str(client.get("/v1/models/current").json()["name"])

    threads = [threading.Thread(target=send, args=(bodies[number % 2],)) for number in range(3)]
    for thread in threads:
        thread.start()
    first, other = model.name, load(second).name
    try:
        assert waited(lambda: names[first] > 0)
        for name, wanted in (("second", other), (DEFAULT, first), ("second", other)):
            point(home, name)
            assert waited(lambda wanted=wanted: current() == wanted)  # type: ignore[misc]
            seen = names[wanted]
            assert waited(lambda wanted=wanted, seen=seen: names[wanted] > seen)  # type: ignore[misc]
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert failed == []
    assert set(names) == {first, other}


def test_a_running_service_tells_what_it_uses_and_what_it_refused(
    client: TestClient, home: Path, model: Model, second: Path
) -> None:
    def told() -> dict[str, Any]:
        answer: dict[str, Any] = client.get("/v1/models/current").json()
        return answer

    def metric(line: str) -> bool:
        return line in client.get("/metrics").text

    assert (told()["name"], told()["refused"]) == (model.name, "")
    shutil.copytree(second, models_folder(home) / "bad")
    (models_folder(home) / "bad" / "words.txt").write_text("水", encoding="utf-8")
    point(home, "bad")
    assert waited(lambda: "words.txt" in told()["refused"])
    assert waited(lambda: metric("jiesu_model_refused 1.0"))
    assert told()["name"] == model.name
    assert client.post("/v1/decisions", json={"petitions": [{"id": "1", "text": TEXT}]}).status_code == 200
    point(home, "second")
    assert waited(lambda: told()["name"] == load(second).name)
    assert waited(lambda: told()["refused"] == "")
    assert told()["card"]["data"] == "others"
    assert waited(lambda: metric("jiesu_model_refused 0.0") and metric(f'jiesu_model_info{{name="{told()["name"]}"}}'))
