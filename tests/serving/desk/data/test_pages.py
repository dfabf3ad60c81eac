"""The pages show how things stand, and the report runs nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from corpora.columns import LEARNED, ROLES
from serving.desk.data.drawing import STATES, VERDICTS
from serving.desk.data.errands import KINDS
from serving.desk.data.folder import Folder
from serving.desk.data.register import EVENTS
from serving.desk.tongue import ENGLISH, words
from serving.errands.errand import CANCELLED, FAILED, RUNNING, STOPPING
from serving.service import Service
from tests.serving.desk.data.conftest import Put, Send, csv

FAR = 1 << 52  # a claim that holds
GATE = {"name": "类别宏平均 F1", "before": "0.81", "after": "0.70", "limit": "最多低 0.01", "passed": False}
COMPARISON = {"champion": "default", "challenger": "m-1", "data": "工单", "rows": 120, "gates": [GATE], "notes": ["少"]}


def test_nothing_yet(desk: TestClient) -> None:
    for path in ("/data", "/data/models", "/data/label", "/data/opinions"):
        for tongue in ("zh", "en"):
            assert desk.get(f"{path}?lang={tongue}").status_code == 200


def test_what_is_being_done_renews_itself(desk: TestClient, put: Put) -> None:
    errand = put("fit", state=RUNNING, step="训练 <b>", part=0.25, said=("读 a", "训练"), owner="x", until=FAR)
    for path in ("/data", f"/data/errands/{errand.id}"):
        page = desk.get(path).text
        assert f'data-live="{path}"' in page
        assert 'value="0.25"' in page
        assert "训练 &lt;b&gt;" in page
    assert f"/data/errands/{errand.id}/cancel" in page


@pytest.mark.parametrize("state", [FAILED, CANCELLED, STOPPING])
def test_how_one_ended(desk: TestClient, put: Put, state: str) -> None:
    errand = put("promote", state=state, said=("jiesu：没有换上",), asked={"fit": "", "version": "m"}, until=FAR)
    page = desk.get(f"/data/errands/{errand.id}").text
    assert ('<p class="error" role="alert">没有换上</p>' in page) == (state == FAILED)


@pytest.fixture
def fitted(put: Put, folder: Folder, model_folder: Path) -> str:
    """A retraining that is done, with its model and its report."""
    errand = put("fit", asked={"upload": "u"}, begun_at=1, ended_at=9001)
    shutil.copytree(model_folder, folder.models(errand.id) / "20261123-0900")
    folder.report(errand.id).mkdir(parents=True)
    (folder.report(errand.id) / "report.html").write_text("<style>p{color:red}</style><p>报告", encoding="utf-8")
    (folder.report(errand.id) / "report.json").write_text("{}", encoding="utf-8")
    return errand.id


def test_the_report_is_shown_where_it_can_do_nothing(desk: TestClient, fitted: str) -> None:
    page = desk.get(f"/data/errands/{fitted}").text
    assert f'sandbox="allow-scripts" src="/data/errands/{fitted}/report.html"' in page
    assert "suspects.xlsx" not in page
    shown = desk.get(f"/data/errands/{fitted}/report.html")
    policy = shown.headers["content-security-policy"]
    assert policy.endswith("; sandbox allow-scripts")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "content-disposition" not in shown.headers
    saved = desk.get(f"/data/errands/{fitted}/report.json?save")
    assert saved.headers["content-disposition"].startswith("attachment")
    for name in ("suspects.xlsx", "suspects.jsonl", "..%2f..%2fstore.db"):
        assert desk.get(f"/data/errands/{fitted}/{name}").status_code == 404


def test_a_refusal_is_told_with_its_gates(desk: TestClient, put: Put, service: Service, fitted: str) -> None:
    page = desk.get(f"/data/errands/{fitted}").text
    name = page.partition('id="made-title">')[2].partition('<span class="tag">')[2].partition("</span>")[0]
    history = service.settings.home / "models" / "history.jsonl"
    history.parent.mkdir(parents=True, exist_ok=True)
    event = {
        "time": "2026-11-23T09:00:00+08:00", "event": "refused", "model": name, "champion": "default", "who": "x",
        "forced": False, "reason": "", "comparison": COMPARISON,
    }  # fmt: skip
    history.write_text(json.dumps(event) + "\n", encoding="utf-8")
    errand = put(
        "promote", state=FAILED, said=("jiesu：没有换上",), asked={"fit": fitted, "version": "", "force": False}
    )
    for path in (f"/data/errands/{errand.id}", "/data/models"):
        told = desk.get(path).text
        assert "类别宏平均 F1" in told
        assert "✕ 没有通过" in told


def test_names_of_files_are_no_markup(desk: TestClient, send: Send) -> None:
    to = send(csv(), "<img src=x>.csv").json()["to"]
    for path in ("/data", to):
        assert "<img src=x>" not in desk.get(path).text


def test_what_the_code_says_has_its_english() -> None:
    said = (
        {kind.title for kind in KINDS.values()} | set(STATES.values()) | set(EVENTS.values()) | set(VERDICTS.values())
    )
    said |= {ROLES[role] for role in LEARNED} | {"在用", "曾用", "候选"}
    assert said <= words(ENGLISH).keys(), sorted(said - words(ENGLISH).keys())
