"""KServe: the Open Inference Protocol, its tensors, its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlp.decider import Decider
from nlp.taxonomy import TASKS
from serving.adapters import kserve
from serving.adapters.tensors import OUTPUTS
from serving.store import tables
from tests.serving.adapters.desks import DEEP, INJECTIONS, LEAK, MIB, WITHOUT_TAGS, Desk, opened
from tests.serving.adapters.pages import form, shown

PATH = "/v2/models/jiesu/infer"


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("kserve"), kserve.routes) as open_desk:
        yield open_desk


def tensor(name: str, *texts: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "datatype": "BYTES", "shape": [len(texts)], "data": list(texts), **more}


def infer(desk: Desk, *inputs: Any, **more: Any) -> dict[str, dict[str, Any]]:
    reply = desk.client.post(PATH, json={"inputs": list(inputs), **more})
    assert reply.status_code == 200, reply.text
    return {output["name"]: output for output in reply.json()["outputs"]}


def refused(desk: Desk, body: bytes, status: int = 400, **headers: str) -> str:
    reply = desk.client.post(PATH, content=body, headers=headers)
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]
    return str(reply.json()["error"])


def test_every_output_has_its_datatype_and_one_element_for_each_text(desk: Desk) -> None:
    outputs = infer(desk, tensor("text", LEAK, "路灯不亮", ""))
    assert list(outputs) == list(OUTPUTS)
    for name, output in outputs.items():
        assert output["datatype"] == OUTPUTS[name][0]
        assert output["shape"] == [3] == [len(output["data"])]
    decisions = [json.loads(content) for content in outputs["decision"]["data"]]
    for task in TASKS:
        assert outputs[task]["data"] == [decision[task]["code"] for decision in decisions]
        assert outputs[f"{task}_confidence"]["data"] == [decision[task]["confidence"] for decision in decisions]
    assert outputs["needs_human"]["data"] == [decision["needs_human"] for decision in decisions]
    kept = {row.id for row in desk.rows(tables.decisions)}
    assert {decision["decision_id"] for decision in decisions} <= kept


def test_outputs_are_selected_and_the_number_of_the_request_comes_back(desk: Desk) -> None:
    asked = {"id": "r-1", "inputs": [tensor("text", LEAK)], "outputs": [{"name": "tier"}, {"name": "category"}]}
    answer = desk.client.post(PATH, json=asked).json()
    assert (answer["id"], answer["model_name"]) == ("r-1", "jiesu")
    assert answer["model_version"] == desk.service.office.decider.model.name
    assert [output["name"] for output in answer["outputs"]] == ["tier", "category"]
    assert "id" not in desk.client.post(PATH, json={"inputs": asked["inputs"]}).json()


def test_columns_and_lists_of_texts_are_the_same(desk: Desk) -> None:
    wanted = [{"name": "category"}, {"name": "category_confidence"}]
    flat = infer(desk, tensor("text", LEAK, "路灯不亮"), outputs=wanted)
    column = {"name": "text", "datatype": "BYTES", "shape": [2, 1]}
    assert infer(desk, column | {"data": [LEAK, "路灯不亮"]}, outputs=wanted) == flat
    assert infer(desk, column | {"data": [[LEAK], ["路灯不亮"]]}, outputs=wanted) == flat


def test_titles_numbers_and_parameters_are_used(desk: Desk) -> None:
    inputs = tensor("text", LEAK), tensor("title", "漏水"), tensor("id", "A-17")
    outputs = infer(desk, *inputs, parameters={"profile": "wenjiang", "evidence": False, "other": 1})
    decision = json.loads(outputs["decision"]["data"][0])
    assert (decision["id"], decision["masked_title"], decision["route"]["profile"]) == ("A-17", "漏水", "wenjiang")
    assert decision["evidence"] == []
    high = infer(desk, *inputs, parameters={"accuracy": "high"})
    assert "fast" in json.loads(high["decision"]["data"][0])["reasons"][-1]  # the small model has no encoder


def test_nothing_is_asked_and_nothing_answered(desk: Desk) -> None:
    assert infer(desk, tensor("text"))["category"]["data"] == []


@pytest.mark.parametrize("text", ["", "\0", "ab " * 700_000, *INJECTIONS])
def test_odd_texts_are_decided(desk: Desk, text: str) -> None:
    decision = json.loads(infer(desk, tensor("text", text), tensor("id", text[:60]))["decision"]["data"][0])
    assert decision["id"] == text[:60]
    if text in INJECTIONS:
        assert decision["masked_text"] == WITHOUT_TAGS.sub(" ", text)


WRONG = [
    ({}, "inputs"),
    ({"inputs": []}, "inputs"),
    ({"inputs": {"text": "a"}}, "inputs"),
    ({"inputs": [tensor("title", "a")]}, "text"),
    ({"inputs": [tensor("text", "a"), tensor("text", "b")]}, "inputs[1].name"),
    ({"inputs": [tensor("text", "a"), tensor("image", "b")]}, "inputs[1].name"),
    ({"inputs": [tensor("text", "a"), tensor("title", "b", "c")]}, "一样长"),
    ({"inputs": [tensor("text", "a", datatype="FP32")]}, "inputs[0].datatype"),
    ({"inputs": [tensor("text", "a", datatype=7)]}, "inputs[0].datatype"),
    ({"inputs": [tensor("text", "a", shape=[2])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", "b", shape=[1, 2])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[1, 1, 1])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[-1])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[True])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[1.0])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", "a", shape=[10**400])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", data=[1], shape=[1])]}, "inputs[0].data"),
    ({"inputs": [tensor("text", data=[None], shape=[1])]}, "inputs[0].data"),
    ({"inputs": [tensor("text", data=[["a", "b"]], shape=[2])]}, "inputs[0].shape"),
    ({"inputs": [tensor("text", data=[[["a"]]], shape=[1])]}, "inputs[0].data"),
    ({"inputs": [tensor("text", data="a", shape=[1])]}, "inputs[0].data"),
    ({"inputs": [tensor("text", *"a" * 1001)]}, "inputs[0].data"),
    ({"inputs": [tensor("text", "a"), tensor("id", "a" * 201)]}, "inputs[1].data"),
    ({"inputs": [tensor("text", "a")], "outputs": [{"name": "colour"}]}, "outputs[0].name"),
    ({"inputs": [tensor("text", "a")], "outputs": ["category"]}, "outputs[0]"),
    ({"inputs": [tensor("text", "a")], "id": 7}, "id"),
    ({"inputs": [tensor("text", "a")], "parameters": {"accuracy": "best"}}, "parameters.accuracy"),
    ({"inputs": [tensor("text", "a")], "parameters": {"profile": "nowhere"}}, "nowhere"),
]


@pytest.mark.parametrize(("asked", "named"), WRONG)
def test_a_wrong_request_is_named(desk: Desk, asked: dict[str, Any], named: str) -> None:
    before = desk.count(tables.decisions)
    assert named in refused(desk, json.dumps(asked).encode())
    assert desk.count(tables.decisions) == before


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", DEEP, b'{"inputs":' + DEEP, b"\x00\x01", b"\xff"])
def test_what_is_no_json_is_refused(desk: Desk, body: bytes) -> None:
    refused(desk, body)


def test_binary_tensors_and_large_bodies_are_refused(desk: Desk) -> None:
    body = json.dumps({"inputs": [tensor("text", "a")]}).encode()
    assert "JSON" in refused(desk, body + b"\x01\x00\x00\x00a", **{"inference-header-content-length": str(len(body))})
    refused(desk, b"a" * 5 * MIB, 413)


def test_probes_are_answered(desk: Desk) -> None:
    def get(path: str) -> Any:
        return desk.client.get(path).json()

    assert get("/v2/health/live") == {"live": True}
    assert get("/v2/health/ready") == {"ready": True}
    assert get("/v2/models/jiesu/ready") == {"name": "jiesu", "ready": True}
    assert get("/v2") == {"name": "jiesu", "version": "1", "extensions": []}
    about = get("/v2/models/jiesu")
    assert about["versions"] == [desk.service.office.decider.model.name]
    assert [output["name"] for output in about["outputs"]] == list(OUTPUTS)
    assert desk.count(tables.audit) == desk.count(tables.decisions)  # probes leave nothing


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/other/ready", "/v2/models/..%2fjiesu/ready"])
def test_another_model_is_not_found(desk: Desk, path: str) -> None:
    reply = desk.client.get(path)
    assert reply.status_code == 404
    body = {"inputs": [tensor("text", "a")]}
    answer = desk.client.post("/v2/models/other/infer", json=body)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_probes_alone_need_no_key(decider: Decider, tmp_path: Path) -> None:
    with opened(decider, tmp_path, kserve.routes, insecure=False) as desk:
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/jiesu/ready"):
            assert desk.client.get(path).status_code == 200
        for path in ("/v2", "/v2/models/jiesu", "/v2/models/other"):
            assert desk.client.get(path).status_code == 401
        refused(desk, b"{}", 401)


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    good, bad = shown("kserve.md")
    for example, status in ((good, 200), (bad, 400)):
        reply = example.asked(desk.client)
        assert reply.status_code == status
        assert form(reply.json()) == form(example.answer)
