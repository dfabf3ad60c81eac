"""Open311: the categories as services, requests in and out, errors in its own words, in JSON and in XML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from httpx2 import Response
from ulid_transform import ulid_now

from nlp.decider import Decider
from nlp.taxonomy import Label, Taxonomy
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.adapters import open311
from serving.adapters.form import MOST_FIELDS
from serving.journal.decided import opened as plain
from serving.store import tables
from tests.serving.adapters.desks import INJECTIONS, LEAK, MIB, SECRET, Desk, opened
from tests.serving.adapters.pages import form, shown

PREFIX = "/open311/v2"
FORM = {"content-type": "application/x-www-form-urlencoded"}
SENT = {"service_code": "noise", "description": LEAK, "address_string": "青杉苑三期五栋", "phone": "13800138000"}
BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 9}">' for n in range(1, 9))
XML = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "哈">{BOMB}]><r><description>&a8;</description></r>'
FIELDS = [
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
    "lat", "long", "media_url",
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(decider: Decider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(decider, tmp_path_factory.mktemp("open311"), open311.routes) as open_desk:
        yield open_desk


def parsed(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - our own answer


def posted(desk: Desk, fields: Any, kind: str = "json", **headers: str) -> Response:
    content = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return desk.client.post(f"{PREFIX}/requests.{kind}", content=content, headers=FORM | headers)


def decided(desk: Desk, **changes: str) -> str:
    """The number of a new request."""
    reply = posted(desk, SENT | changes)
    assert reply.status_code == 200, reply.text
    return str(reply.json()[0]["service_request_id"])


def asked(desk: Desk, path: str, **query: Any) -> Any:
    reply = desk.client.get(f"{PREFIX}/{path}", params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refused(reply: Response, status: int) -> list[str]:
    assert reply.status_code == status, reply.text
    assert {fault["code"] for fault in reply.json()} == {status}
    return [fault["description"] for fault in reply.json()]


def happened(desk: Desk, number: str, event: str, at: datetime, unit: str = "") -> None:
    """An outcome as `/v1/outcomes` writes it."""
    row = {
        "id": ulid_now(), "decision": number, "event": event, "unit": unit, "at": round(at.timestamp() * 1000),
        "recorded_at": 0, "key": "k", "digest": ulid_now(),
    }  # fmt: skip
    desk.service.journal.write_now(lambda unit: unit.add(tables.outcomes, row))


def test_the_services_are_the_categories(desk: Desk, taxonomy: Taxonomy) -> None:
    services = asked(desk, "services.json")
    assert [service["service_code"] for service in services] == taxonomy.codes("category")
    leak = next(service for service in services if service["service_code"] == "leak")
    assert leak == {
        "service_code": "leak", "service_name": "漏水渗水", "description": "住房与物业 / 漏水渗水", "metadata": False,
        "type": "realtime", "keywords": "漏水渗水,住房与物业", "group": "住房与物业",
    }  # fmt: skip


def test_a_category_without_a_parent_has_no_group(taxonomy: Taxonomy) -> None:
    alone = Label("lamps", "路灯")
    told = open311.described(alone, replace(taxonomy, nodes=(alone,)))
    assert (told["group"], told["keywords"]) == ("", "路灯")


def test_the_services_in_xml_are_the_same(desk: Desk) -> None:
    reply = desk.client.get(f"{PREFIX}/services.xml")
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    tree = parsed(reply.content)
    assert (tree.tag, {item.tag for item in tree}) == ("services", {"service"})
    read = [{field.tag: field.text or "" for field in item} for item in tree]
    assert read == [{**service, "metadata": "false"} for service in asked(desk, "services.json")]


def test_a_definition_says_that_nothing_more_is_asked(desk: Desk) -> None:
    assert asked(desk, "services/leak.json") == {"service_code": "leak", "attributes": []}
    tree = parsed(desk.client.get(f"{PREFIX}/services/leak.xml").content)
    assert [(field.tag, field.text) for field in tree] == [("service_code", "leak"), ("attributes", None)]


@pytest.mark.parametrize("code", ["nothing", "..", "a.b", "%00", "leak%27--", "%E6%BC%8F"])
def test_an_unknown_service_is_404(desk: Desk, code: str) -> None:
    assert refused(desk.client.get(f"{PREFIX}/services/{code}.json"), 404) == ["没有这个 service_code，见 services"]


def test_a_request_becomes_a_decision(desk: Desk) -> None:
    before = desk.count(tables.audit)
    (answer,) = posted(desk, SENT | {"jurisdiction_id": "city.example"}).json()
    assert set(answer) == {"service_request_id", "service_notice", "account_id"}
    assert answer["account_id"] is None
    row = next(row for row in desk.rows(tables.decisions) if row.id == answer["service_request_id"])
    assert desk.count(tables.audit) == before + 1
    assert (row.channel, row.subject is None) == ("Open311", False)
    assert row.unit in answer["service_notice"]


def test_a_request_is_read_back_as_it_was_decided(desk: Desk, taxonomy: Taxonomy) -> None:
    number = decided(desk, description=f"{LEAK}我的电话13800138000")
    (ticket,) = asked(desk, f"requests/{number}.json")
    row = next(row for row in desk.rows(tables.decisions) if row.id == number)
    decision = plain(row.content)
    assert list(ticket) == FIELDS
    assert (ticket["status"], ticket["service_code"]) == ("open", row.category)
    assert ticket["service_name"] == taxonomy.paths[row.category][-1]
    assert ticket["agency_responsible"] == decision["route"]["unit"]
    assert ticket["expected_datetime"] == decision["route"]["due"]
    assert ticket["description"] == f"{LEAK}我的电话[手机号]"
    assert "“噪音扰民”（noise）" in ticket["status_notes"] or row.category == "noise"
    assert datetime.fromisoformat(ticket["requested_datetime"]).tzinfo is not None
    assert ticket["updated_datetime"] == ticket["requested_datetime"]


def test_the_service_that_was_chosen_is_mentioned_where_it_is_another(desk: Desk, taxonomy: Taxonomy) -> None:
    (first,) = asked(desk, f"requests/{decided(desk)}.json")
    same, other = first["service_code"], next(c for c in taxonomy.codes("category") if c != first["service_code"])
    (agreed,) = asked(desk, f"requests/{decided(desk, service_code=same)}.json")
    (differs,) = asked(desk, f"requests/{decided(desk, service_code=other)}.json")
    assert "来方选的服务" not in agreed["status_notes"]
    assert f"来方选的服务是“{taxonomy.paths[other][-1]}”（{other}）" in differs["status_notes"]


def test_attributes_stand_below_the_text_and_are_masked(desk: Desk) -> None:
    fields = [*SENT.items(), ("attribute[楼层]", "六楼"), ("attribute[时间][]", "夜里"), ("attribute[时间][]", "清早"),
              ("attribute[电话]", "13800138000"), ("attributes", "不算")]  # fmt: skip
    number = posted(desk, fields).json()[0]["service_request_id"]
    (ticket,) = asked(desk, f"requests/{number}.json")
    assert ticket["description"] == f"{LEAK}\n楼层：六楼\n时间：夜里\n时间：清早\n电话：[手机号]"


def test_who_the_resident_is_is_never_kept(desk: Desk) -> None:
    planted = {"first_name": "建华", "last_name": "欧阳", "email": "oy@example.cn", "device_id": "D-7781",
               "media_url": "https://pictures.example/77.jpg", "lat": "30.6571", "long": "104.0665"}  # fmt: skip
    number = decided(desk, **planted)
    kept = [str(plain(row.content)) + str(row) for row in desk.rows(tables.decisions) if row.id == number]
    kept += [str(row) for row in desk.rows(tables.audit_details)]
    assert not [value for value in [*planted.values(), SENT["phone"]] if any(value in text for text in kept)]


@pytest.mark.parametrize(
    "place", [{"lat": "30.65", "long": "104.06"}, {"address_string": "梅岭街"}, {"address_id": "33107"}]
)
def test_each_way_to_say_where_is_enough(desk: Desk, place: dict[str, str]) -> None:
    assert posted(desk, {"service_code": "leak", "description": LEAK} | place).status_code == 200


def test_all_faults_are_told_at_once(desk: Desk) -> None:
    faults = refused(posted(desk, {"lat": "91", "long": "nan", "media_url": "file:///etc/passwd"}), 400)
    assert [fault.partition("：")[0] for fault in faults] == ["service_code", "description", "lat", "long", "media_url"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [({"lat": "30"}, "address_string"), ({"long": "104"}, "address_string"), ({}, "address_string"),
     ({"address_string": " "}, "address_string"), ({"lat": "inf", "long": "104"}, "lat"),
     ({"lat": "北纬", "long": "104"}, "lat"), ({"lat": "30", "long": "-180.1"}, "long"),
     ({"lat": "1e999", "long": "1"}, "lat"), ({"address_id": "1", "description": "\u3000"}, "description"),
     ({"address_id": "1", "media_url": "javascript:alert(1)"}, "media_url")],
)  # fmt: skip
def test_a_fault_is_told_by_its_field(desk: Desk, changes: dict[str, str], place: str) -> None:
    (fault,) = refused(posted(desk, {"service_code": "leak", "description": LEAK} | changes), 400)
    assert fault.startswith(f"{place}：")


def test_an_unknown_service_code_is_404_and_nothing_is_kept(desk: Desk) -> None:
    before = desk.count(tables.decisions)
    assert len(refused(posted(desk, SENT | {"service_code": "001"}), 404)) == 1
    assert desk.count(tables.decisions) == before


def test_errors_in_xml(desk: Desk) -> None:
    reply = posted(desk, {}, "xml")
    assert reply.status_code == 400
    tree = parsed(reply.content)
    assert tree.tag == "errors"
    assert [[field.tag for field in error] for error in tree] == [["code", "description"]] * 3


@pytest.mark.parametrize(
    "kind", ["application/xml", "text/xml", "multipart/form-data; boundary=x", "application/json", ""]
)
def test_anything_but_a_form_is_refused_unread(desk: Desk, kind: str) -> None:
    reply = posted(desk, XML.encode(), **{"content-type": kind})
    assert "application/x-www-form-urlencoded" in refused(reply, 415)[0]
    assert posted(desk, XML.encode(), "xml", **{"content-type": kind}).status_code == 415


def test_xml_that_calls_itself_a_form_is_only_a_strange_field(desk: Desk) -> None:
    assert len(refused(posted(desk, XML.encode()), 400)) == 3


@pytest.mark.parametrize("body", [b"\xff=\xfe", b"description=%ff&service_code=leak", b"&".join([b"a=b"] * 10_000)])
def test_what_is_no_form_is_refused(desk: Desk, body: bytes) -> None:
    (fault,) = refused(posted(desk, body), 400)
    assert fault.startswith("表单读不了")


def test_as_many_fields_as_allowed_are_read(desk: Desk) -> None:
    more = [(f"x{number}", "") for number in range(MOST_FIELDS - len(SENT))]
    assert posted(desk, [*SENT.items(), *more]).status_code == 200
    assert posted(desk, [*SENT.items(), *more, ("y", "")]).status_code == 400


@pytest.mark.parametrize("text", ["\0", "\0\x0b\x1f路灯不亮", "x" * 2 * MIB, "🚰" * 1000, "]]>&amp;<b>", *INJECTIONS])
def test_odd_texts_come_back_as_text(desk: Desk, text: str) -> None:
    number = decided(desk, description=text)
    (ticket,) = asked(desk, f"requests/{number}.json")
    reply = desk.client.get(f"{PREFIX}/requests/{number}.xml")
    read = parsed(reply.content)[0].findtext("description")
    if text in INJECTIONS:
        assert ticket["description"] == text.replace("<script>", " ").replace("</script>", " ")
    assert len(read or "") == len(ticket["description"].replace("\r\n", "\n"))


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    refused(posted(desk, SENT | {"description": "水" * 2 * MIB}), 413)


@pytest.mark.parametrize("path", ["requests", "tokens"])
@pytest.mark.parametrize("number", ["01J00000000000000000000000", "x", "%00", "1%27%20OR%201=1--", "a" * 3000])
def test_an_unknown_number_is_404(desk: Desk, path: str, number: str) -> None:
    refused(desk.client.get(f"{PREFIX}/{path}/{number}.json"), 404)
    assert desk.client.get(f"{PREFIX}/{path}/{number}.xml").status_code == 404


def test_a_token_is_the_number(desk: Desk) -> None:
    number = decided(desk)
    assert asked(desk, f"tokens/{number}.json") == [{"service_request_id": number, "token": number}]


def test_outcomes_open_and_close_a_request(desk: Desk) -> None:
    number, now = decided(desk), desk.service.settings.now()
    for minutes, event, unit, status in [
        (1, "dispatched", "临江巷社区", "open"), (2, "resolved", "", "open"), (3, "closed", "临江巷社区", "closed"),
        (4, "reopened", "", "open"), (5, "closed", "柳浪镇", "closed"),
    ]:  # fmt: skip
        at = now + timedelta(minutes=minutes)
        happened(desk, number, event, at, unit)
        (ticket,) = asked(desk, f"requests/{number}.json")
        assert ticket["status"] == status
        assert ticket["updated_datetime"] == at.isoformat(timespec="seconds")
        assert [other["service_request_id"] for other in asked(desk, "requests.json", status=status)].count(number) == 1
        assert ticket["agency_responsible"] == unit or not unit
    assert ticket["status_notes"].endswith("已办结：柳浪镇")


def test_a_correction_changes_the_service(desk: Desk, taxonomy: Taxonomy) -> None:
    number = decided(desk)
    (before,) = asked(desk, f"requests/{number}.json")
    one, two = [code for code in taxonomy.codes("category") if code != before["service_code"]][:2]
    for at, category in enumerate([one, None, two]):
        row = {"id": ulid_now(), "decision": number, "at": 2**41 + at * 1000, "verdict": "corrected", "reason": "",
               "category": category, "operator": "", "unit": "", "key": "k", "digest": str(at)}  # fmt: skip
        desk.service.journal.write_now(lambda unit, row=row: unit.add(tables.feedback, row))
    (after,) = asked(desk, f"requests/{number}.json")
    assert (after["service_code"], after["service_name"]) == (two, taxonomy.paths[two][-1])
    assert number in [each["service_request_id"] for each in asked(desk, "requests.json", service_code=f"rest,{two}")]
    assert number not in [each["service_request_id"] for each in asked(desk, "requests.json", service_code=one)]


def test_a_list_of_numbers_goes_before_all_other_filters(desk: Desk) -> None:
    numbers = [decided(desk), decided(desk)]
    query = {"service_request_id": ",".join([*numbers, "x", "01J00000000000000000000000"]), "status": "closed"}
    found = asked(desk, "requests.json", **query, end_date="2020-01-01T00:00:00Z")
    assert {ticket["service_request_id"] for ticket in found} == set(numbers)


def test_pages_follow_each_other_the_newest_first(desk: Desk) -> None:
    for _ in range(3):
        decided(desk)
    whole = [ticket["service_request_id"] for ticket in asked(desk, "requests.json", page_size=1000)]
    pages = [asked(desk, "requests.json", page=page, page_size=2) for page in (1, 2)]
    assert [ticket["service_request_id"] for page in pages for ticket in page] == whole[:4]
    times = [ticket["requested_datetime"] for ticket in asked(desk, "requests.json")]
    assert all(later >= earlier for later, earlier in pairwise(times))


def test_the_span_is_ninety_days(desk: Desk) -> None:
    number, now = decided(desk), desk.service.settings.now()
    old = now - timedelta(days=100)

    def age(unit: Any) -> None:
        table = tables.decisions
        at = round(old.timestamp() * 1000)
        unit.connection.execute(table.update().where(table.c.id == number).values(at=at))

    desk.service.journal.write_now(age)

    def found(**query: str) -> bool:
        return number in [each["service_request_id"] for each in asked(desk, "requests.json", page_size=1000, **query)]

    day = timedelta(days=1)
    assert not found()
    assert found(start_date=(old - day).isoformat())
    assert found(end_date=(old + day).isoformat())
    assert found(start_date=(old - day).isoformat(), end_date=(old + day).isoformat())
    assert not found(end_date=(old - day).isoformat())
    too_long = {"start_date": (now - timedelta(days=91)).isoformat(), "end_date": now.isoformat()}
    refused(desk.client.get(f"{PREFIX}/requests.json", params=too_long), 400)


def test_a_plus_that_nobody_encoded_is_understood(desk: Desk) -> None:
    now = desk.service.settings.now() - timedelta(days=1)
    reply = desk.client.get(f"{PREFIX}/requests.json?start_date={now.isoformat(timespec='seconds')}")
    assert (reply.status_code, bool(reply.json())) == (200, True)


@pytest.mark.parametrize(
    "query",
    [{"status": "pending"}, {"status": "open,x"}, {"start_date": "yesterday"}, {"start_date": "1700000000"},
     {"end_date": "0001-01-01T00:00:00Z"}, {"end_date": "9999-12-31T23:59:59Z"}, {"start_date": "2026-02-30"},
     {"page": "0"}, {"page": "-1"}, {"page": "9" * 30}, {"page": "x"}, {"page_size": "1001"}, {"start_date": "\0"}],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(desk: Desk, query: dict[str, str]) -> None:
    (fault,) = refused(desk.client.get(f"{PREFIX}/requests.json", params=query), 400)
    assert next(iter(query)) in fault


@pytest.mark.parametrize("value", ["\0", "'; DROP TABLE decisions; --", "," * 100, "漏水"])
def test_strange_filters_find_nothing(desk: Desk, value: str) -> None:
    decided(desk)
    assert not asked(desk, "requests.json", service_request_id=value + "x")
    assert not asked(desk, "requests.json", service_code=value + "x")
    assert desk.count(tables.decisions)


def test_keys_come_in_the_headers_the_form_or_the_query(decider: Decider, tmp_path: Path) -> None:
    with opened(decider, tmp_path, open311.routes, insecure=False) as desk:
        keys = Keys(desk.service.journal, SECRET)
        key, other, wrong = (keys.create(scope) for scope in (Scope.operator, Scope.operator, Scope.data))
        boss = keys.create(Scope.admin)
        numbers = [
            reply.json()[0]["service_request_id"]
            for reply in (posted(desk, SENT | {"api_key": key}), posted(desk, SENT, **{"x-api-key": key}))
        ]
        mine = asked(desk, "requests.json", api_key=key)
        assert {ticket["service_request_id"] for ticket in mine} == set(numbers)
        assert asked(desk, "requests.json", api_key=other) == []
        refused(desk.client.get(f"{PREFIX}/requests/{numbers[0]}.json", params={"api_key": other}), 404)
        assert len(asked(desk, "requests.json", api_key=boss)) == 2
        for bad in ("", "x", "密钥", "a\r\nb", wrong, key[:-1]):
            said = refused(posted(desk, SENT | {"api_key": bad}), 403)
            assert key.partition(".")[0] not in said[0]
            refused(desk.client.get(f"{PREFIX}/services.json", params={"api_key": bad}), 403)
        refused(posted(desk, SENT | {"api_key": key}, **{"x-api-key": "x"}), 403)  # the header counts
        assert desk.count(tables.decisions) == 2


def test_the_page_shows_what_is_answered(desk: Desk) -> None:
    examples = shown("open311.md")
    assert [example.method for example in examples] == ["POST", "GET", "POST"]
    number = examples[0].answer[0]["service_request_id"]
    for example, status in zip(examples, (200, 200, 400), strict=True):
        path = example.path
        if number in path:
            path = path.replace(number, decided(desk))
        reply = desk.client.request(example.method, path, headers=example.headers, content=example.body.encode())
        assert reply.status_code == status
        assert form(reply.json()) == form(example.answer)
