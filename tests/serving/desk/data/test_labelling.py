"""Labelling: one petition after the other, kept as it is said, exported as training data."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient

from serving.desk.data.folder import Folder
from serving.desk.data.labelling import counted
from serving.desk.data.undecided import undecided
from serving.errands.errand import Errand
from serving.service import Service
from tests.serving.desk.data.conftest import Put

TEXTS = ("小区门口的路灯不亮", "楼上卫生间漏水到我家", "工地半夜还在打桩")


@pytest.fixture
def listed(put: Put, folder: Folder) -> Errand:
    """A list of three to be labelled."""
    errand = put("next", asked={"upload": "", "count": 3})
    rows = [
        {"petition_id": f"P{row}", "title": "", "text": text, "suggested": "路灯", "confidence": 0.3, "margin": 0.1}
        for row, text in enumerate(TEXTS)
    ]
    folder.listed(errand.id).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return errand


def test_a_page_to_label_on(desk: TestClient, listed: Errand, service: Service) -> None:
    page = desk.get(f"/data/label/{listed.id}").text
    held = json.loads(page.partition('id="held">')[2].partition("</script>")[0])
    assert [item["text"] for item in held["items"]] == list(TEXTS)
    codes = set(service.office.decider.model.taxonomy.codes("category"))
    assert all(set(item["guesses"]) <= codes and len(item["guesses"]) == 5 for item in held["items"])
    assert held["items"][0]["said"] is None


def test_answers_are_kept_and_the_last_one_counts(
    desk: TestClient, listed: Errand, folder: Folder, service: Service
) -> None:
    one, other = service.office.decider.model.taxonomy.codes("category")[:2]
    tier = service.office.decider.model.taxonomy.codes("tier")[0]
    for answer in ({"number": 0, "category": one}, {"number": 0, "category": other, "tier": tier}, {"number": 2}):
        reply = desk.post(f"/data/label/{listed.id}/answers", json=answer)
        assert reply.status_code == 200, reply.text
    path = folder.answers(listed.id)
    assert path.stat().st_mode & 0o777 == 0o600
    assert counted(path) == 1
    rows = [json.loads(line) for line in desk.get(f"/data/label/{listed.id}/training.jsonl").text.splitlines()]
    assert rows == [{"id": "P0", "title": "", "text": TEXTS[0], "category": other, "tier": tier, "operator": "本机"}]
    assert "2/3" in desk.get("/data/label").text


@pytest.mark.parametrize("answer", [{"number": 3}, {"number": -1}, {"number": 0, "category": "none"}, {}, []])
def test_answers_that_cannot_be_meant(desk: TestClient, listed: Errand, folder: Folder, answer: object) -> None:
    assert desk.post(f"/data/label/{listed.id}/answers", json=answer).status_code == 422
    assert not folder.answers(listed.id).exists()


def test_a_list_that_is_not_there(desk: TestClient, put: Put) -> None:
    assert desk.get(f"/data/label/{put('next', asked={'upload': ''}).id}").status_code == 404
    assert desk.get(f"/data/label/{put('fit').id}").status_code == 404


def test_what_nobody_was_sure_of_and_nobody_spoke_of(desk: TestClient, service: Service, tmp_path: Path) -> None:
    petitions = [{"id": f"A{row}", "text": text} for row, text in enumerate(("1", "？？", "打13912345678找王小明"))]
    decided = desk.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    unsure = [one["decision_id"] for one in decided if one["needs_human"]]
    assert len(unsure) >= 2
    desk.post("/v1/feedback", json={"decision_id": unsure[0], "verdict": "accepted"})
    lines = service.journal.read(lambda store: list(undecided(store)))
    assert sorted(orjson.loads(line)["id"] for line in lines) == sorted(unsure[1:])
    assert b"13912345678" not in b"".join(lines)
