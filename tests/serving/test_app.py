"""The HTTP service: what it answers, what it refuses, and how it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import process_time
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from prometheus_client.parser import text_string_to_metric_families

from nlp.decider import Decider
from nlp.errors import UnknownProfile
from nlp.taxonomy import TASKS, Taxonomy
from serving.app import create_app
from serving.batcher import AT_ONCE
from serving.service import NO_ENCODER
from serving.settings import Settings, UnsafeStart

LEAK = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商，能不能派人来看看。"
MIB = 1024 * 1024


def asked(client: TestClient, *texts: str, **more: Any) -> Response:
    petitions = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    return client.post("/v1/decisions", json={"petitions": petitions, **more})


def decided(client: TestClient, petition: dict[str, Any]) -> dict[str, Any]:
    reply = client.post("/v1/decisions", json={"petitions": [{"id": "1", "text": LEAK} | petition]})
    assert reply.status_code == 200
    decision: dict[str, Any] = reply.json()["decisions"][0]
    return decision


def refused(reply: Response, status: int) -> dict[str, Any]:
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def paths(reply: Response) -> list[str]:
    return [fault["path"] for fault in refused(reply, 422)["errors"]]


def test_decisions_come_in_the_order_of_the_petitions(client: TestClient) -> None:
    petitions = [{"id": f"n{number * 7919 % 97}", "text": LEAK[: number % 40]} for number in range(97)]
    decisions = client.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    assert [decision["id"] for decision in decisions] == [petition["id"] for petition in petitions]


def test_alone_or_among_others_the_answer_is_the_same(client: TestClient) -> None:
    texts = [LEAK, "路灯坏了半个月没人修", "公司拖欠我们三个月工资", "广场舞音响到半夜"] * AT_ONCE
    together = asked(client, *texts).json()["decisions"]
    for text, decision in zip(texts[:4], together[:4], strict=True):
        alone = asked(client, text).json()["decisions"][0]
        assert [alone[task] for task in TASKS] == [decision[task] for task in TASKS]


def test_no_petitions_give_no_decisions(client: TestClient) -> None:
    assert asked(client).json() == {"decisions": []}


def test_a_thousand_petitions_are_accepted(client: TestClient) -> None:
    decisions = asked(client, *["路灯不亮"] * 1000).json()["decisions"]
    assert len({decision["decision_id"] for decision in decisions}) == 1000


def test_a_thousand_and_one_petitions_are_refused_by_name(client: TestClient) -> None:
    assert paths(asked(client, *["路灯不亮"] * 1001)) == ["petitions"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"petitions": [{"id": "1", "text": 5}]}, "petitions[0].text"),
        ({"petitions": [{"id": "1", "text": None}]}, "petitions[0].text"),
        ({"petitions": [{"id": "1", "text": ["水"]}]}, "petitions[0].text"),
        ({"petitions": [{"id": "1"}]}, "petitions[0].text"),
        ({"petitions": [{"text": "水"}]}, "petitions[0].id"),
        ({"petitions": [{"id": 7, "text": "水"}]}, "petitions[0].id"),
        ({"petitions": [{"id": "x" * 201, "text": "水"}]}, "petitions[0].id"),
        ({"petitions": [{"id": "1", "text": "水"}, {"id": "2", "text": "水", "title": 3}]}, "petitions[1].title"),
        ({"petitions": [{"id": "1", "text": "水", "phone": 13800000000}]}, "petitions[0].phone"),
        ({"petitions": [{"id": "1", "text": "水", "received_at": "yesterday"}]}, "petitions[0].received_at"),
        ({"petitions": [{"id": "1", "text": "水", "received_at": "9999-12-31T23:59:59Z"}]}, "petitions[0].received_at"),
        ({"petitions": [{"id": "1", "text": "水", "received_at": "0001-01-01"}]}, "petitions[0].received_at"),
        ({"petitions": ["水"]}, "petitions[0]"),
        ({"petitions": {"id": "1"}}, "petitions"),
        ({"petitions": None}, "petitions"),
        ({}, "petitions"),
        ([], "$"),
        ("水", "$"),
        (None, "$"),
        ({"petitions": [], "accuracy": "best"}, "accuracy"),
        ({"petitions": [], "accuracy": None}, "accuracy"),
        ({"petitions": [], "evidence": "perhaps"}, "evidence"),
        ({"petitions": [], "profile": 3}, "profile"),
        ({"petitions": [], "petition": []}, "petition"),
    ],
)
def test_a_wrong_structure_is_named_by_its_path(client: TestClient, body: Any, path: str) -> None:
    assert paths(client.post("/v1/decisions", json=body)) == [path]


@pytest.mark.parametrize("sent", [[], [{"id": "1", "text": LEAK}]])
def test_an_unknown_profile_is_named(client: TestClient, sent: list[dict[str, str]]) -> None:
    reply = client.post("/v1/decisions", json={"petitions": sent, "profile": "atlantis"})
    assert paths(reply) == ["profile"]
    assert "wenjiang" in reply.json()["detail"]


def test_many_faults_are_counted_and_the_first_ones_listed(client: TestClient) -> None:
    problem = refused(client.post("/v1/decisions", json={"petitions": [{"id": 1}] * 500}), 422)
    assert "1000" in problem["detail"]
    assert len(problem["errors"]) == 20


def test_high_accuracy_without_an_encoder_is_answered_as_fast_and_said(client: TestClient) -> None:
    fast = asked(client, LEAK, accuracy="fast").json()["decisions"][0]
    high = asked(client, LEAK, accuracy="high").json()["decisions"][0]
    assert high["reasons"] == [*fast["reasons"], NO_ENCODER]
    assert [high[task] for task in (*TASKS, "needs_human")] == [fast[task] for task in (*TASKS, "needs_human")]


def test_unknown_fields_of_a_petition_are_ignored(client: TestClient) -> None:
    plain, further = decided(client, {}), decided(client, {"工单编号": "X1", "nested": {"a": [1]}, "label": 3})
    assert [plain[task] for task in TASKS] == [further[task] for task in TASKS]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t\r\n", "\u3000\u3000", "\u200b\u200b", "\x00\x01", "😀👍🏽", "。。。！！！", "\ue000\uffff"]
)
def test_text_with_nothing_to_read_needs_a_human(client: TestClient, text: str) -> None:
    decision = decided(client, {"text": text})
    assert decision["needs_human"]
    assert decision["reasons"] == ["没有可读的内容，请人工处理"]
    assert decision["evidence"] == []


@pytest.mark.parametrize("text", ["88347261", "7" * 400, "the street lamp is broken", "ﷺ" * 30, "a\u0300" * 100])
def test_digits_and_foreign_text_need_a_human(client: TestClient, text: str) -> None:
    decision = decided(client, {"text": text})
    assert decision["needs_human"]
    assert decision["reasons"]


@pytest.mark.parametrize("text", ["楼上漏水，" * (MIB // 15), "水" * (MIB // 3), "1" * MIB, "<b>" * (MIB // 30)])
def test_a_megabyte_of_text_is_decided_with_a_human(client: TestClient, text: str) -> None:
    decision = decided(client, {"text": text})
    assert decision["needs_human"]
    assert decision["reasons"]


@pytest.mark.parametrize(
    ("unit", "length"),
    [
        ("13812345678 ", 20_000), ("a@", 20_000), ("a@b.cn ", 80_000), ("1 ", 80_000), ("市民来电反映：", 80_000),
        ("请核实处理，谢谢！", 80_000), ("<b>", 80_000), ("&amp;lt;", 80_000), ("我叫王五，", 80_000),
        ("川A12345 ", 80_000), ("着火了", 80_000),
    ],
)  # fmt: skip
def test_odd_repetition_costs_no_more_than_its_length(client: TestClient, unit: str, length: int) -> None:
    begun = process_time()
    decision = decided(client, {"text": (unit * length)[:length]})
    assert decision["needs_human"]
    assert process_time() - begun < 2  # what is quadratic takes twice as long and more


def test_a_title_alone_can_be_read(client: TestClient) -> None:
    decision = decided(client, {"text": "", "title": "小区路灯不亮，请维修路灯"})
    assert "没有可读的内容，请人工处理" not in decision["reasons"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"petitions": [{"id": "1", "text": "\\ud800"}]}',
        b'{"petitions": [{"id": "\\udfff", "text": "x"}]}',
        b'{"petitions": [{"id": "1", "text": "\xff\xfe"}]}',
        "{\"petitions\": [{\"id\": \"1\", \"text\": \"市民反映\"}]}".encode("gb18030"),
        "{\"petitions\": [{\"id\": \"1\", \"text\": \"市民反映\"}]}".encode("utf-16"),
        b'{"petitions": [{"id": "1", "text": "\x00"}]}',
        b'{"petitions": [{"id": "1", "text": "x"}]',
        b"",
        b"{" * 100_000,
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_text_is_refused(client: TestClient, body: bytes) -> None:
    reply = client.post("/v1/decisions", content=body, headers={"content-type": "application/json"})
    refused(reply, 422)


def test_the_content_type_does_not_matter(client: TestClient) -> None:
    body = b'{"petitions": [{"id": "1", "text": "x"}]}'
    assert client.post("/v1/decisions", content=body, headers={"content-type": "text/plain"}).status_code == 200


def test_a_body_over_the_limit_is_refused(decider: Decider) -> None:
    with TestClient(create_app(Settings(insecure=True, max_body=2048), decider)) as small:
        assert asked(small, "x" * 1500).status_code == 200
        assert "2048" in refused(asked(small, "x" * 2048), 413)["detail"]


def test_a_streamed_body_is_refused_before_it_ends(decider: Decider) -> None:
    small = TestClient(create_app(Settings(insecure=True, max_body=2048), decider))
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b" " * 1024

    refused(small.post("/v1/decisions", content=endless()), 413)
    assert sent


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/decisions"), ("DELETE", "/v1/taxonomy"), ("POST", "/readyz")]
)
def test_a_wrong_method_is_refused_with_what_is_allowed(client: TestClient, method: str, path: str) -> None:
    reply = client.request(method, path)
    refused(reply, 405)
    assert reply.headers["allow"]


def test_the_first_page_leads_to_the_desk(client: TestClient) -> None:
    reply = client.get("/", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (303, "/desk")


@pytest.mark.parametrize("path", ["/v1", "/v2/decisions", "/v1/decisions/1", "/%ff", "/..%2f..%2fetc%2fpasswd"])
def test_an_unknown_path_is_not_found(client: TestClient, path: str) -> None:
    refused(client.get(path), 404)


def test_a_crash_is_a_problem_without_a_trace(decider: Decider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "reader", None)
    broken = TestClient(create_app(Settings(insecure=True), decider), raise_server_exceptions=False)
    for count in (1, AT_ONCE + 1):
        reply = asked(broken, *[LEAK] * count)
        assert refused(reply, 500)["detail"] == "服务内部出错，详情见日志"
        assert "Traceback" not in reply.text
        assert "NoneType" not in reply.text


def test_received_at_starts_the_clock_and_gets_the_zone_of_the_office(client: TestClient) -> None:
    hours = {clock["code"]: clock["hours"] for clock in client.get("/v1/taxonomy").json()["clocks"]}
    for sent, read in (
        ("2026-03-01T08:00:00", "2026-03-01T08:00:00+08:00"),
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00+00:00"),
    ):
        decision = decided(client, {"received_at": sent})
        due = datetime.fromisoformat(read) + timedelta(hours=hours[decision["clock"]["code"]])
        assert decision["route"]["due"] == due.isoformat()


def test_the_end_of_the_clock_keeps_the_zone_that_was_sent(client: TestClient) -> None:
    moments = ["2026-03-01T08:00:00+08:00", "2026-03-01T00:00:00Z", "2026-02-28T19:00:00-05:00"]
    petitions = [{"id": moment, "text": LEAK, "received_at": moment} for moment in moments]
    decisions = client.post("/v1/decisions", json={"petitions": petitions}).json()["decisions"]
    for moment, decision in zip(moments, decisions, strict=True):
        sent, due = datetime.fromisoformat(moment), datetime.fromisoformat(decision["route"]["due"])
        assert due.utcoffset() == sent.utcoffset()


def test_a_profile_routes_by_its_own_chain(client: TestClient) -> None:
    decision = asked(client, LEAK, profile="wenjiang").json()["decisions"][0]
    assert decision["route"]["profile"] == "wenjiang"
    assert decision["route"]["chain"][0] == "治理小组"


def test_evidence_can_be_left_out_and_points_into_the_text(client: TestClient) -> None:
    shown = asked(client, LEAK).json()["decisions"][0]["evidence"]
    assert shown
    assert all(LEAK[part["start"] : part["end"]] == part["text"] for part in shown)
    assert asked(client, LEAK, evidence=False).json()["decisions"][0]["evidence"] == []


def test_every_code_is_one_of_the_taxonomy(client: TestClient, taxonomy: Taxonomy) -> None:
    for decision in asked(client, LEAK, "", "煤气泄漏", "3").json()["decisions"]:
        for task in TASKS:
            codes = [decision[task]["code"], *(other["code"] for other in decision[task]["alternatives"])]
            assert set(codes) <= set(taxonomy.codes(task))
            assert len(set(codes)) == len(codes)
        assert len(decision["category"]["alternatives"]) >= 4
        assert decision["category"]["path"] == taxonomy.paths[decision["category"]["code"]]


def test_health_and_readiness_are_told(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_the_taxonomy_is_the_one_of_the_model(client: TestClient, taxonomy: Taxonomy) -> None:
    told = client.get("/v1/taxonomy").json()
    assert told.pop("hash") == taxonomy.hash
    assert Taxonomy.from_dict(told) == taxonomy


def test_the_profiles_and_the_default_are_told(client: TestClient) -> None:
    told = client.get("/v1/profiles").json()
    assert told["default"] == "plain"
    assert {"plain", "wenjiang"} <= {profile["name"] for profile in told["profiles"]}


def test_the_model_in_use_is_told(client: TestClient, decider: Decider) -> None:
    told = client.get("/v1/models/current").json()
    assert told["name"] == decider.model.name
    assert told["tasks"] == list(TASKS)
    assert told["thresholds"]["confidence"] == decider.model.thresholds.confidence


def test_metrics_count_requests_and_decisions(decider: Decider) -> None:
    client = TestClient(create_app(Settings(insecure=True), decider))
    asked(client, LEAK, LEAK, "")
    asked(client, accuracy="best")
    client.get("/nowhere/13800138000")
    counted: dict[str, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            key = f"{sample.name} {sample.labels.get('path', '')} {sample.labels.get('status', '')}".strip()
            counted[key] = counted.get(key, 0) + sample.value
    assert counted["jiesu_requests_total /v1/decisions 200"] == 1
    assert counted["jiesu_requests_total /v1/decisions 422"] == 1
    assert counted["jiesu_requests_total unknown 404"] == 1
    assert counted["jiesu_request_seconds_count /v1/decisions"] == 2
    assert counted["jiesu_decisions_total"] == 3
    assert counted["jiesu_model_info"] == 1


@pytest.mark.parametrize("page", ["/docs"])
def test_the_pages_of_the_interface_load_nothing_from_another_host(client: TestClient, page: str) -> None:
    text = client.get(page).text
    assert not re.findall(r"""(?:src|href|url)\s*[=(:]\s*["']?\s*(?:https?:)?//""", text)
    links = re.findall(r"""(?:src|href)=["']([^"']+)["']""", text)
    assert links
    assert {client.get(link).status_code for link in links} == {200}


def test_what_the_pages_load_names_no_delivery_network(client: TestClient) -> None:
    for link in re.findall(r"""src=["']([^"']+)["']""", client.get("/docs").text):
        assert "https://cdn." not in client.get(link).text
    assert client.get("/redoc").status_code == 404


def test_a_reply_is_what_the_description_says(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    reply = asked(client, LEAK, "", "煤气泄漏了，味道很大", "1" * 5000).json()
    schema = {"$ref": "#/components/schemas/DecisionReply", "components": description["components"]}
    jsonschema_rs.validate(schema, reply)
    assert set(description["components"]["schemas"]["Decision"]["required"]) <= set(reply["decisions"][0])


def test_a_problem_is_what_the_description_says(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    declared = description["paths"]["/v1/decisions"]["post"]["responses"]
    schema = declared["422"]["content"]["application/problem+json"]["schema"]
    jsonschema_rs.validate(schema, client.post("/v1/decisions", json={}).json())
    assert {"200", "401", "413", "422"} <= set(declared)
    assert all(set(declared[status]["content"]) == {"application/problem+json"} for status in ("401", "413", "422"))


def test_an_open_door_is_not_built(decider: Decider) -> None:
    with pytest.raises(UnsafeStart):
        create_app(Settings(insecure=True, host="10.0.0.8"), decider)


def test_an_app_with_an_unknown_profile_is_not_built(decider: Decider) -> None:
    with pytest.raises(UnknownProfile, match="atlantis"):
        create_app(Settings(insecure=True, profile="atlantis"), decider)
