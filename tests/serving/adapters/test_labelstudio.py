"""Label Studio: tasks marked beforehand, and annotations that become feedback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nlp.decider import Decider, Options
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Taxonomy
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.adapters import labelstudio
from serving.store import tables
from tests.serving.adapters.desks import DEEP, INJECTIONS, LEAK, MIB, SECRET, Desk, opened
from tests.serving.adapters.pages import form, shown

UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("labelstudio"), labelstudio.routes) as open_desk:
        yield open_desk


@pytest.fixture(scope="module")
def config(taxonomy: Taxonomy) -> str:
    """A configuration that asks for all tasks, by names, the type with aliases."""
    asked = "".join(
        f'<Choices name="{task}" toName="t">'
        + "".join(f'<Choice value="{label.name}"{alias(task, label.code)}/>' for label in taxonomy.labels(task))
        + "</Choices>"
        for task in TASKS
    )
    return f'<View><Text name="t" value="$text"/>{asked}</View>'


def alias(task: str, code: str) -> str:
    return f' alias="{code}"' if task == "type" else ""


def predict(desk: Desk, config: str, *tasks: Any) -> list[dict[str, Any]]:
    reply = desk.client.post("/labelstudio/predict", json={"tasks": list(tasks), "label_config": config})
    assert reply.status_code == 200, reply.text
    results: list[dict[str, Any]] = reply.json()["results"]
    return results


def task(text: str = LEAK, **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"text": text}, **more}


def row(desk: Desk, decision: str) -> Any:
    return next(row for row in desk.rows(tables.decisions) if row.id == decision)


def told(desk: Desk, decision: str, *marks: tuple[str, str], **more: Any) -> Any:
    """What the webhook answers to an annotation of a task that was made from a decision."""
    regions = [
        {"from_name": name, "to_name": "t", "type": "choices", "value": {"choices": [choice]}} for name, choice in marks
    ]
    annotation = {"id": 7, "result": regions, "completed_by": 3}
    body = {"action": "ANNOTATION_CREATED", "task": task(meta={"decision_id": decision}), "annotation": annotation}
    reply = desk.client.post("/labelstudio/webhook", json=body | more)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_it_is_up_and_says_its_version(desk: Desk) -> None:
    assert desk.client.get("/labelstudio/health").json() == {"status": "UP", "model_class": "jiesu"}
    name = desk.service.office.decider.model.name
    for body in ({}, {"project": "1.17", "schema": "<View></View>", "hostname": "h", "access_token": "t"}):
        assert desk.client.post("/labelstudio/setup", json=body).json() == {"model_version": name}


def test_each_question_gets_the_choice_of_what_was_decided(desk: Desk, config: str, taxonomy: Taxonomy) -> None:
    (result,) = predict(desk, config, task())
    kept = row(desk, result["decision_id"])
    assert result["model_version"] == kept.model
    names = {task: {label.code: label.name for label in taxonomy.labels(task)} for task in TASKS}
    wanted = {task: names[task][getattr(kept, task)] if task != "type" else kept.type for task in TASKS}
    marks = {mark["from_name"]: mark for mark in result["result"]}
    assert {name: mark["value"]["choices"] for name, mark in marks.items()} == {n: [c] for n, c in wanted.items()}
    assert {(mark["type"], mark["to_name"]) for mark in marks.values()} == {("choices", "t")}
    assert result["score"] == min(mark["score"] for mark in marks.values())


def test_what_is_not_on_offer_gets_no_mark(desk: Desk) -> None:
    config = (
        '<View><Text name="t" value="$text"/><Choices name="category" toName="t"><Choice value="{}"/></Choices></View>'
    )
    category = desk.service.office.decider.decide([Petition("1", LEAK)], Options(datetime.now(UTC)))[0].category
    assert predict(desk, config.format(category.name), task())[0]["result"] != []
    (result,) = predict(desk, config.format(category.alternatives[0].name), task())
    assert (result["result"], result["score"]) == ([], 0.0)


def test_a_task_made_from_a_decision_is_not_decided_anew(desk: Desk, config: str) -> None:
    first, second = predict(desk, config, task(), task("路灯不亮"))
    before = desk.count(tables.decisions)
    known = {"id": 2, "data": {"text": LEAK, "decision_id": first["decision_id"]}}
    results = predict(
        desk, config, known, task("路灯不亮", meta={"decision_id": second["decision_id"]}), task("路灯坏了")
    )
    assert [result["decision_id"] for result in results[:2]] == [first["decision_id"], second["decision_id"]]
    assert results[0]["result"] == first["result"]
    assert results[1]["result"] == second["result"]
    assert desk.count(tables.decisions) == before + 1


def test_the_text_may_stand_anywhere_in_the_data(desk: Desk) -> None:
    asked = '<Choices name="type" toName="t"><Choice value="求助"/></Choices>'
    config = f'<View><Text name="t" value="$letter.body"/>{asked}</View>'
    (result,) = predict(desk, config, {"id": "a", "data": {"letter": {"body": LEAK}, "title": "漏水"}})
    assert row(desk, result["decision_id"]).petition == "a"
    for data in ({}, {"letter": LEAK}, {"letter": {"body": 3}}, {"letter": []}):
        reply = desk.client.post("/labelstudio/predict", json={"tasks": [{"data": data}], "label_config": config})
        assert reply.status_code == 422
        assert "tasks[0].data.letter.body" in reply.json()["error"]


@pytest.mark.parametrize("text", [None, "", "\0", "ab " * 700_000, *INJECTIONS])
def test_odd_texts_are_marked(desk: Desk, config: str, text: Any) -> None:
    (result,) = predict(desk, config, task(text))
    assert len(result["result"]) == len(TASKS)


def test_an_annotation_that_agrees_is_an_acceptance(desk: Desk, config: str) -> None:
    (result,) = predict(desk, config, task())
    marks = [(mark["from_name"], mark["value"]["choices"][0]) for mark in result["result"]]
    answer = told(desk, result["decision_id"], *marks, project={"id": 1, "label_config": config})
    assert (answer["status"], answer["decision_id"]) == ("recorded", result["decision_id"])
    kept = next(row for row in desk.rows(tables.feedback) if row.id == answer["feedback_id"])
    assert (kept.decision, kept.verdict, kept.operator) == (result["decision_id"], "accepted", "labelstudio:3")


def test_an_annotation_that_differs_is_a_correction_however_often_it_is_told(desk: Desk, config: str) -> None:
    (result,) = predict(desk, config, task())
    kept = row(desk, result["decision_id"])
    taxonomy = desk.service.office.decider.model.taxonomy
    other = next(code for code in taxonomy.codes("category") if code != kept.category)
    first = told(desk, kept.id, ("category", other), ("tier", kept.tier))
    again = told(desk, kept.id, ("category", other), ("tier", kept.tier), action="ANNOTATION_UPDATED")
    assert first["feedback_id"] == again["feedback_id"]
    said = next(row for row in desk.rows(tables.feedback) if row.id == first["feedback_id"])
    assert (said.verdict, said.category, said.tier, said.clock) == ("corrected", other, kept.tier, None)


def test_choices_are_understood_without_the_configuration_too(desk: Desk, config: str) -> None:
    (result,) = predict(desk, config, task())
    name = desk.service.office.decider.model.taxonomy.categories[0].name
    assert told(desk, result["decision_id"], ("我的问题", name))["status"] == "recorded"


@pytest.mark.parametrize(
    "more",
    [
        {"action": "START_TRAINING"}, {"action": "ANNOTATIONS_DELETED"}, {"task": None}, {"task": task()},
        {"task": task(meta={"decision_id": "'; DROP TABLE"})}, {"task": task(meta={"decision_id": 7})},
        {"annotation": None}, {"annotation": {"result": [], "was_cancelled": True}}, {"annotation": {"result": []}},
        {"annotation": {"result": [{"type": "choices", "value": {"choices": ["没有的"]}}]}},
        {"annotation": {"result": [{"type": "choices", "value": {"choices": ["leak", "power"]}}]}},
        {"annotation": {"result": [{"type": "choices", "value": {"choices": [["leak"]]}}]}},
        {"annotation": {"result": [{"type": "labels", "value": {"labels": ["leak"]}}]}},
    ],
)  # fmt: skip
def test_what_is_no_feedback_is_ignored(desk: Desk, config: str, more: dict[str, Any]) -> None:
    (result,) = predict(desk, config, task())
    before = desk.count(tables.feedback)
    answer = told(desk, result["decision_id"], ("category", "leak"), **more)
    assert answer["status"] == "ignored"
    assert answer["reason"]
    assert desk.count(tables.feedback) == before


def test_feedback_on_an_unknown_decision_is_refused(desk: Desk) -> None:
    annotation = {"result": [{"from_name": "category", "type": "choices", "value": {"choices": ["leak"]}}]}
    body = {"action": "ANNOTATION_CREATED", "task": task(meta={"decision_id": UNKNOWN}), "annotation": annotation}
    reply = desk.client.post("/labelstudio/webhook", json=body)
    assert reply.status_code in {404, 422}
    assert UNKNOWN in reply.json()["error"]


ENTITIES = '<!DOCTYPE a [<!ENTITY b "c">]><View>&b;</View>'


@pytest.mark.parametrize("name", ["setup", "predict", "webhook"])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", DEEP, b'{"tasks":' + DEEP, b"\xff"])
def test_what_is_no_request_is_refused(desk: Desk, name: str, body: bytes) -> None:
    reply = desk.client.post(f"/labelstudio/{name}", content=body)
    assert reply.status_code == 422
    assert list(reply.json()) == ["error"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("setup", {"schema": ENTITIES}), ("setup", {"schema": 3}), ("setup", {"schema": "<View>"}),
        ("predict", {"tasks": [task()]}), ("predict", {"label_config": "<View/>"}),
        ("predict", {"tasks": [task()], "label_config": ENTITIES}),
        ("predict", {"tasks": [task()], "label_config": "<View/>"}),
        ("predict", {"tasks": [task()], "label_config": "x" * 2 * MIB}),
        ("predict", {"tasks": {}, "label_config": "<View/>"}),
        ("predict", {"tasks": [{"id": 1}], "label_config": "<View/>"}),
        ("predict", {"tasks": [task()] * 1001, "label_config": "<View/>"}),
        ("predict", {"tasks": [{"id": 10**300, "data": {}}], "label_config": "<View/>"}),
        ("webhook", {"action": 3}), ("webhook", {"annotation": {"result": {}}}),
        ("webhook", {"action": "ANNOTATION_CREATED", "project": {"label_config": ENTITIES}}),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_and_nothing_is_written(desk: Desk, name: str, body: dict[str, Any]) -> None:
    before = desk.count(tables.decisions)
    reply = desk.client.post(f"/labelstudio/{name}", json=body)
    assert reply.status_code == 422
    assert list(reply.json()) == ["error"]
    assert desk.count(tables.decisions) == before


def test_questions_about_two_texts_are_refused(desk: Desk) -> None:
    about = '<Choices name="{0}" toName="{0}"><Choice value="{1}"/></Choices>'
    asked = about.format("a", "leak") + about.format("b", "help")
    config = f'<View><Text name="a" value="$a"/><Text name="b" value="$b"/>{asked}</View>'
    body = {"tasks": [{"data": {"a": "", "b": ""}}], "label_config": config}
    assert "同一段文字" in desk.client.post("/labelstudio/predict", json=body).json()["error"]


def test_the_key_may_come_as_the_password_of_http_basic(decider: Decider, tmp_path: Path, config: str) -> None:
    with opened(decider, tmp_path, labelstudio.routes, insecure=False) as desk:
        key = Keys(desk.service.journal, SECRET).create(Scope.operator)
        assert desk.client.get("/labelstudio/health").status_code == 200
        for name, password, status in (("x", key, 200), ("", key, 200), ("x", "wrong", 401), (key, "", 401)):
            shown = base64.b64encode(f"{name}:{password}".encode()).decode()
            reply = desk.client.post("/labelstudio/setup", json={}, headers={"authorization": f"Basic {shown}"})
            assert reply.status_code == status
        for header in (b"Basic", b"Basic !!!", b"Basic \xe9", b"basic " + b"A" * 1000, b"Basic /zr//w=="):
            assert (
                desk.client.post("/labelstudio/setup", json={}, headers={b"authorization": header}).status_code == 401
            )
        assert desk.client.post("/labelstudio/setup", json={}, headers={"x-api-key": key}).status_code == 200
        for path in ("predict", "webhook"):
            assert desk.client.post(f"/labelstudio/{path}", json={}).status_code == 401


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    marked, fed = shown("labelstudio.md")
    reply = marked.asked(desk.client)
    assert form(reply.json()) == form(marked.answer)
    body = json.loads(fed.body)
    body["task"]["meta"]["decision_id"] = reply.json()["results"][0]["decision_id"]  # the page's is of its own run
    assert form(desk.client.post(fed.path, json=body).json()) == form(fed.answer)
