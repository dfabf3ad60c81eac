"""Doubted labels: told with their masked texts, kept or changed, and used by the next retraining."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient

from serving.desk.data import notes
from serving.desk.data.folder import Folder
from serving.desk.data.suspects import excerpted
from serving.errands.errand import Errand
from tests.serving.desk.data.conftest import Put, Send, csv

COLUMNS = {"text": ["诉求内容"], "title": ["诉求标题"], "category": ["诉求分类"]}


def suspect(line: int, given: str, suggested: str, instead: float = 0.8) -> dict[str, object]:
    return {"line": line, "given": given, "suggested": suggested, "confidence": 0.1, "instead": instead}


def test_doubted_rows_are_excerpted_masked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    told = {"suspects": {"category": [suspect(2, "a", "b"), suspect(4, "a", "b"), suspect(5, "a", "b", 0.05)]}}
    (tmp_path / "report.json").write_bytes(orjson.dumps(told))
    assert excerpted(tmp_path / "a.csv", COLUMNS, tmp_path, tmp_path / "out.jsonl") == 2
    first, second = notes.read(tmp_path / "out.jsonl")
    assert (first["title"], first["text"]) == ("路灯不亮", "小区门口的路灯不亮，晚上看不见路，请打[手机号]")
    assert (second["task"], second["line"]) == ("category", 4)
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_report_without_suspects(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    (tmp_path / "report.json").write_bytes(b'{"suspects": null}')
    assert excerpted(tmp_path / "a.csv", COLUMNS, tmp_path, tmp_path / "out.jsonl") == 0


@pytest.fixture
def doubted(put: Put, send: Send, folder: Folder, model_folder: Path) -> Errand:
    """A retraining whose report doubts two labels."""
    upload = send(csv()).json()["id"]
    errand = put("fit", asked={"upload": upload})
    shutil.copytree(model_folder, folder.models(errand.id) / "20261123-0900")
    folder.report(errand.id).mkdir(parents=True)
    for line in (3, 5):
        told = {"task": "category", **suspect(line, "leak", "streetlight"), "title": "", "text": "路灯不亮"}
        notes.add(folder.suspects(errand.id), told)
    return errand


def test_they_are_settled_one_by_one(desk: TestClient, doubted: Errand, folder: Folder, send: Send) -> None:
    page = desk.get(f"/data/suspects/{doubted.id}").text
    held = json.loads(page.partition('id="held">')[2].partition("</script>")[0])
    assert (len(held["items"]), held["said"]) == (2, ["", ""])
    codes = [label["code"] for label in held["labels"]["category"]]
    given, other = held["items"][0]["given"], next(code for code in codes if code != held["items"][0]["given"])
    if given not in codes:
        given = codes[0]
    for number, code in ((0, other), (1, codes[1])):
        reply = desk.post(f"/data/suspects/{doubted.id}/answers", json={"number": number, "code": code})
        assert reply.status_code == 200, reply.text
    settled = notes.read(folder.settled(doubted.asked["upload"]))
    assert [(note["line"], note["code"], note["operator"]) for note in settled] == [
        (3, other, "本机"), (5, codes[1], "本机"),
    ]  # fmt: skip
    assert "人改定的标签会用上" in desk.get(f"/data/uploads/{doubted.asked['upload']}").text
    assert "（2/2）" in desk.get(f"/data/errands/{doubted.id}").text


@pytest.mark.parametrize("said", [{"number": 2, "code": "leak"}, {"number": 0, "code": "none"}, {"number": 0}])
def test_what_cannot_be_meant(desk: TestClient, doubted: Errand, said: dict[str, object]) -> None:
    assert desk.post(f"/data/suspects/{doubted.id}/answers", json=said).status_code == 422


def test_nothing_to_settle(desk: TestClient, put: Put) -> None:
    assert desk.get(f"/data/suspects/{put('fit', asked={'upload': 'u'}).id}").status_code == 404
