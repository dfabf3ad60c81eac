"""What people ask of the data desk becomes errands, or is refused in words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.desk.data import errands as kinds
from serving.desk.data.folder import Folder
from serving.errands import queue
from serving.errands.errand import FAILED, Errand
from serving.service import Service
from tests.serving.desk.data.conftest import AT, WHO, Put, Send, csv


def asked(desk: TestClient, service: Service, kind: str, **wish: Any) -> Errand:
    """The errand that a wish becomes; nobody is to do it."""
    reply = desk.post(f"/data/{kind}", json=wish)
    assert reply.status_code == 200, reply.text
    errand = service.journal.read(lambda store: queue.find(store, reply.json()["id"]))
    assert errand is not None
    desk.post(f"/data/errands/{errand.id}/cancel")
    return errand


def words(service: Service, errand: Errand) -> list[list[str]]:
    """The commands of an errand, with the home as `~`."""
    commands = kinds.KINDS[errand.kind].commands(service.settings, errand)
    return [[word.replace(str(service.settings.home), "~") for word in command.words] for command in commands]


def test_a_retraining(desk: TestClient, service: Service, send: Send, folder: Folder) -> None:
    upload = send(csv(), "十月/工单（改）.csv").json()["id"]
    errand = asked(desk, service, "fit", upload=upload, quick=True, corrections=True, answers=True)
    assert errand.name == "工单（改）.csv"
    (folder.root / "lists" / "x.answers.jsonl").touch()
    exporting, reading, gathering, fitting, doubting = words(service, errand)
    rows = f"~/desk/rows/{errand.id}"
    assert exporting == ["corrections", "--", f"{rows}/feedback.jsonl"]
    assert reading == ["label", "corrections", "--out", f"{rows}/corrections.jsonl", "--", f"{rows}/feedback.jsonl"]
    assert gathering[:4] == ["desk", "gather", "--out", f"{rows}/工单_改_.jsonl"]
    more = [f"--more={rows}/corrections.jsonl", "--more=~/desk/lists/x.answers.jsonl"]
    assert gathering[-4:] == [*more, "--", f"~/desk/uploads/{upload}.csv"]
    assert (fitting[0], fitting[-2:]) == ("fit", ["--", f"{rows}/工单_改_.jsonl"])
    assert {"--quick", "--text=诉求内容", "--title=诉求标题", "--category=诉求分类"} <= set(fitting)
    assert (doubting[:2], doubting[-2:]) == (["desk", "suspects"], ["--", f"{rows}/工单_改_.jsonl"])
    kinds.KINDS["fit"].after(service.settings, errand)
    assert not Path(rows.replace("~", str(service.settings.home))).exists()


def test_what_cannot_be_learned_from_is_refused(desk: TestClient, send: Send) -> None:
    upload = send(csv(("诉求内容",), [("路灯不亮",), ("楼上漏水到我家",)]), "无标签.csv").json()["id"]
    reply = desk.post("/data/fit", json={"upload": upload})
    assert (reply.status_code, "无标签.csv 现在还不能用来训练" in reply.text) == (422, True)
    assert desk.post("/data/freeze", json={"upload": upload}).status_code == 422
    assert desk.post("/data/fit", json={"upload": "nothing"}).status_code == 404
    assert desk.post("/data/fit", json={"upload": upload, "sudo": True}).status_code == 422


def test_a_promotion_by_force_wants_a_reason(desk: TestClient, service: Service, put: Put, model_folder: Path) -> None:
    done, failed = put("fit", asked={"upload": "u"}), put("fit", state=FAILED, asked={"upload": "u"})
    for body in ({"fit": done.id, "force": True}, {"fit": done.id, "force": True, "reason": "好 "}):
        reply = desk.post("/data/promote", json=body)
        assert (reply.status_code, "原因" in reply.text) == (422, True)
    assert desk.post("/data/promote", json={"fit": failed.id}).status_code == 409
    assert desk.post("/data/promote", json={}).status_code == 422
    assert desk.post("/data/promote", json={"fit": "nothing"}).status_code == 404
    errand = asked(desk, service, "promote", fit=done.id, force=True, reason="试用一周")
    made = service.settings.home / "desk" / "models" / done.id / "20261123-0900"
    made.mkdir(parents=True)
    assert words(service, errand) == [
        ["models", "promote", "--force", "--reason=试用一周", "--", f"~/desk/models/{done.id}/20261123-0900"]
    ]
    shutil.copytree(model_folder, service.settings.home / "models" / "20261001-0900-3f2a")
    errand = asked(desk, service, "promote", version="20261001-0900-3f2a")
    assert words(service, errand) == [["models", "promote", "--reason=", "--", "20261001-0900-3f2a"]]


@pytest.mark.parametrize("version", ["/etc", "var", ".", "--help", "--force", "../models/x", "a\0b", "20990101-0000"])
def test_nothing_but_a_version_of_the_registry_is_promoted(
    desk: TestClient, service: Service, folder: Folder, model_folder: Path, version: str
) -> None:
    reply = desk.post("/data/promote", json={"version": version})
    assert (reply.status_code, "没有登记过这个版本" in reply.text) == (422, True)
    failed = folder.models("01J00000000000000000000000") / "20261123-0900"
    shutil.copytree(model_folder, failed)
    assert desk.post("/data/promote", json={"version": str(failed)}).status_code == 422
    assert not service.journal.read(lambda store: queue.latest(store, 9))


def test_a_model_that_was_removed_gives_way_to_no_other(desk: TestClient, service: Service, put: Put) -> None:
    errand = asked(desk, service, "promote", fit=put("fit", asked={"upload": "u"}).id, version="/etc")
    with pytest.raises(kinds.NoModel):
        words(service, errand)


def test_rolling_back_and_freezing_anew_want_a_reason(desk: TestClient, service: Service, send: Send) -> None:
    assert desk.post("/data/rollback", json={"reason": "不好"}).status_code == 422
    errand = asked(desk, service, "rollback", reason="更正率上升")
    assert words(service, errand) == [["models", "rollback", "--reason=更正率上升"]]
    upload = send(csv()).json()["id"]
    assert desk.post("/data/freeze", json={"upload": upload, "again": True}).status_code == 422
    errand = asked(desk, service, "freeze", upload=upload, again=True, reason="类别表改了")
    assert {"--again", "--reason=类别表改了", "--text=诉求内容"} <= set(words(service, errand)[-1])


def test_reasons_are_kept_masked(desk: TestClient, service: Service, send: Send, put: Put, model_folder: Path) -> None:
    typed, kept = "王小明打13812345678说不准\0", "说不准"
    shutil.copytree(model_folder, service.settings.home / "models" / "m-1")
    upload, done = send(csv()).json()["id"], put("fit", asked={"upload": "u"})
    for errand in (
        asked(desk, service, "rollback", reason=typed),
        asked(desk, service, "freeze", upload=upload, again=True, reason=typed),
        asked(desk, service, "promote", version="m-1", force=True, reason=typed),
        asked(desk, service, "promote", fit=done.id, reason=typed),
    ):
        assert errand.asked["reason"].endswith(f"[手机号]{kept}")
        assert "13812345678" not in str(errand.asked)


def test_what_to_label_next(desk: TestClient, service: Service, send: Send) -> None:
    upload = send(csv()).json()["id"]
    (picking,) = words(service, asked(desk, service, "next", upload=upload, count=20))
    assert {"--n=20", "--masked", "--text=诉求内容"} <= set(picking)
    exporting, picking = words(service, asked(desk, service, "next"))
    assert exporting[:2] == ["desk", "undecided"]
    assert picking[-2:] == ["--", exporting[-1]]
    assert desk.post("/data/next", json={"count": 0}).status_code == 422


@pytest.mark.parametrize(("at", "name"), [(AT, "20260921-2213"), (AT + 60_000, "20260921-2214")])
def test_a_model_is_called_by_its_time(service: Service, at: int, name: str) -> None:
    errand = Errand.new(WHO, at, "fit", "a.csv", {})
    assert kinds.model_of(service.settings, errand).name == name


def test_an_errand_is_cancelled_once(desk: TestClient, put: Put) -> None:
    errand = put("fit")
    assert desk.post(f"/data/errands/{errand.id}/cancel").status_code == 409
    assert desk.post("/data/errands/nothing/cancel").status_code == 404
    assert desk.post("/data/promote", json={"fit": "a\0b"}).status_code == 404
