"""Signed forms: the signature is the key, and each form counts once, whatever becomes of it on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from httpx2 import Response

from nlp.decider import Decider
from serving.adapters import signed
from serving.adapters.apps import METHODS, Apps, signature
from serving.adapters.signed import PATH, WINDOW
from serving.store import tables
from serving.store.engine import StoreDown
from tests.serving.adapters.desks import INJECTIONS, LEAK, MIB, Desk, opened
from tests.serving.adapters.pages import DOCS, form, shown

FORM = {"content-type": "application/x-www-form-urlencoded"}
SECRETS = {"street": "s" * 32, "limited": "t" * 32}
FILE = f"""
[[app]]
code = "street"
secret = "{SECRETS["street"]}"
key = "街道办"

[[app]]
code = "limited"
secret = "{SECRETS["limited"]}"
scope = "admin"
rate = "2/hour"
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apps") / "apps.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def desk(decider: Decider, file: Path) -> Iterator[Desk]:
    with opened(decider, file.parent, signed.routes, insecure=False, signed_apps=file) as open_desk:
        yield open_desk


def fields(app: str = "street", *, late: int = 0, **more: str) -> dict[str, str]:
    """A form that counts, another one each time."""
    stamp = str(int(time.time()) - late)
    unique = {"appcode": app, "timestamp": stamp, "content": LEAK, "nonce": str(time.perf_counter_ns())} | more
    return unique | {"sign": signature(unique, SECRETS.get(app, "x" * 32), more.get("sign_method", "hmac-sha256"))}


def sent(desk: Desk, form: Any, **headers: str) -> Response:
    content = form if isinstance(form, bytes) else urlencode(form).encode()
    return desk.client.post(PATH, content=content, headers=FORM | headers)


def refused(reply: Response, status: int) -> str:
    assert reply.status_code == status, reply.text
    answer = reply.json()
    assert {name: answer[name] for name in ("success", "code", "data")} == {
        "success": False, "code": status, "data": None,
    }  # fmt: skip
    return str(answer["message"])


def test_a_signed_form_is_decided(desk: Desk) -> None:
    more = {"title": "漏水", "phone": "13800138000", "address": "青杉苑三期五栋", "time": "2026-11-23 09:12:03"}
    answer = sent(desk, fields(**more)).json()
    assert (answer["success"], answer["code"], answer["message"]) == (True, 200, "已受理")
    row = next(row for row in desk.rows(tables.decisions) if row.id == answer["data"]["decisionId"])
    assert (row.key, row.channel, row.category) == ("signed:street", "签名表单", answer["data"]["categoryCode"])
    received = datetime.fromtimestamp(row.received_at / 1000, desk.service.settings.zone)
    assert received.strftime("%Y-%m-%d %H:%M:%S") == more["time"]
    assert datetime.strptime(answer["data"]["due"], "%Y-%m-%d %H:%M:%S") > datetime.fromisoformat(more["time"])


def test_the_number_of_the_caller_is_kept_as_a_hash_alone(desk: Desk) -> None:
    sent(desk, fields(phone="13900139000", content=LEAK + "电话13900139000", email="a@example.cn", name="欧阳建华"))
    kept = "".join(map(str, desk.rows(tables.decisions) + desk.rows(tables.requests) + desk.rows(tables.audit_details)))
    assert "13900139000" not in kept
    assert "欧阳建华" not in kept
    assert LEAK not in kept


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_is_good(desk: Desk, method: str) -> None:
    assert sent(desk, fields(sign_method=method)).status_code == 200


def test_a_signature_in_capitals_is_the_same_signature(desk: Desk) -> None:
    first = fields()
    assert sent(desk, first | {"sign": first["sign"].upper()}).status_code == 200
    refused(sent(desk, first), 409)


def test_a_form_counts_once(desk: Desk) -> None:
    first, before = fields(), desk.count(tables.decisions)
    assert sent(desk, first).status_code == 200
    for _ in range(3):
        assert "已经收过" in refused(sent(desk, first), 409)
    assert desk.count(tables.decisions) == before + 1


def test_a_form_that_comes_many_times_at_once_counts_once(desk: Desk) -> None:
    first, before = fields(), desk.count(tables.decisions)
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: sent(desk, first).status_code, range(8)))
    assert statuses == [200, *[409] * 7]
    assert desk.count(tables.decisions) == before + 1


def test_another_instance_on_the_same_store_knows_what_was_sent(desk: Desk, decider: Decider, file: Path) -> None:
    first = fields()
    assert sent(desk, first).status_code == 200
    with opened(decider, file.parent, signed.routes, insecure=False, signed_apps=file) as other:
        assert other.service.journal is not desk.service.journal
        refused(sent(other, first), 409)


def test_a_write_that_is_tried_again_is_not_a_second_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit went through, but nobody heard of it: the journal writes the group once more."""
    journal, tries = desk.service.journal, []
    whole = type(journal)._transaction

    def deaf(self: Any, group: Any) -> Any:
        answers = whole(self, group)
        tries.append(len(group))
        if len(tries) == 1:
            raise StoreDown(reason="test")
        return answers

    before = desk.count(tables.decisions), desk.count(tables.audit)
    monkeypatch.setattr(type(journal), "_transaction", deaf)
    assert sent(desk, fields()).status_code == 200
    assert tries == [1, 1]
    assert (desk.count(tables.decisions), desk.count(tables.audit)) == (before[0] + 1, before[1] + 1)


def test_a_form_that_could_not_be_written_may_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fields()
    with monkeypatch.context() as broken:
        broken.setattr(type(desk.service), "keep", lambda *_: (_ for _ in ()).throw(StoreDown(reason="test")))
        broken.setattr(desk.service.journal, "_patience", 0.0)
        assert "存储" in refused(sent(desk, first), 503)
    assert sent(desk, first).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"content": "别的"}, {"timestamp": "1700000000"}, {"appcode": "limited"}, {"appcode": "nobody"}, {"appcode": ""},
     {"phone": "1"}, {"sign": ""}, {"sign": "0" * 64}, {"sign": "\0"}, {"sign": "签名"}, {"sign": "a" * MIB},
     {"appcode": "'; DROP TABLE requests; --"}, {"sign_method": "sm3"}],
)  # fmt: skip
def test_a_form_that_was_tampered_with_is_told_nothing(desk: Desk, change: dict[str, str]) -> None:
    assert refused(sent(desk, fields() | change), 401) == "appcode 或 sign 不对"


def test_a_field_left_out_or_moved_into_another_is_seen(desk: Desk) -> None:
    first = fields(content="漏水", phone="1")
    moved = {name: value for name, value in first.items() if name != "phone"} | {"content": "漏水&phone=1"}
    refused(sent(desk, moved), 401)
    del moved["nonce"]
    refused(sent(desk, moved), 401)


@pytest.mark.parametrize("method", ["md5", "none", "HMAC-SHA-256", "sha1"])
def test_other_methods_are_refused(desk: Desk, method: str) -> None:
    assert "sign_method" in refused(sent(desk, fields() | {"sign_method": method}), 400)


@pytest.mark.parametrize("late", [WINDOW + 5, -WINDOW - 5, 10**9])
def test_a_clock_that_is_off_is_told_to_the_signer(desk: Desk, late: int) -> None:
    assert "timestamp" in refused(sent(desk, fields(late=late)), 401)


@pytest.mark.parametrize(
    "stamp",
    ["", "170000000", "17000000000", "1700000000.0", " 1700000000", "１７００００００００", "-100000000"],
)
def test_a_timestamp_is_ten_digits(desk: Desk, stamp: str) -> None:
    assert "timestamp" in refused(sent(desk, fields(timestamp=stamp)), 401)


@pytest.mark.parametrize("late", [WINDOW - 30, 30 - WINDOW])
def test_a_clock_may_be_off_by_a_little(desk: Desk, late: int) -> None:
    assert sent(desk, fields(late=late)).status_code == 200


@pytest.mark.parametrize(
    "more", [{"content": ""}, {"content": " \u3000"}, {"time": "昨天"}, {"time": "1700000000"}, {"time": "0001-01-01"}]
)
def test_what_cannot_be_read_is_refused_and_may_be_mended(desk: Desk, more: dict[str, str]) -> None:
    assert refused(sent(desk, fields(**more)), 400)


def test_a_title_alone_is_enough(desk: Desk) -> None:
    assert sent(desk, fields(content="", title="楼上漏水到我家")).status_code == 200


def test_a_name_that_comes_twice_is_refused(desk: Desk) -> None:
    assert "两次" in refused(sent(desk, [*fields().items(), ("content", LEAK)]), 400)


@pytest.mark.parametrize("body", [b"&".join([b"a=b"] * 10_000), b"\xff=\xff", b"content=%ff"])
def test_what_is_no_form_is_refused(desk: Desk, body: bytes) -> None:
    assert "表单读不了" in refused(sent(desk, body), 400)


@pytest.mark.parametrize("kind", ["application/json", "text/xml", "multipart/form-data; boundary=x", ""])
def test_anything_but_a_form_is_refused_unread(desk: Desk, kind: str) -> None:
    refused(sent(desk, fields(), **{"content-type": kind}), 415)


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    refused(sent(desk, {"content": "水" * 2 * MIB}), 413)


@pytest.mark.parametrize("text", ["\0", "x" * 2 * MIB, "a&b=c%26+ ~*", "🚰\r\n", *INJECTIONS])
def test_odd_texts_are_signed_like_others(desk: Desk, text: str) -> None:
    answer = sent(desk, fields(content="漏水" + text, title=text[:100], address=text[:100])).json()
    assert answer["success"], answer
    assert desk.count(tables.decisions)


def test_an_app_may_send_as_often_as_its_rate_says(desk: Desk) -> None:
    assert [sent(desk, fields("limited")).status_code for _ in range(2)] == [200, 200]
    reply = sent(desk, fields("limited"))
    assert "秒" in refused(reply, 429)
    assert 0 < int(reply.headers["retry-after"]) <= 3600
    assert sent(desk, fields()).status_code == 200


def test_refusals_are_noted_without_a_word_of_the_form(desk: Desk) -> None:
    time.sleep(1.1)  # one record a second of each address and reason
    refused(sent(desk, fields() | {"content": "篡改过的正文"}), 401)
    record = desk.rows(tables.audit)[-1]
    assert (record.action, record.outcome, record.rule) == ("access", "refused", "sign")
    assert "篡改" not in str(desk.rows(tables.audit_details))


def test_without_a_file_nobody_comes_in(decider: Decider, tmp_path: Path) -> None:
    with opened(decider, tmp_path, signed.routes) as desk:  # though the service runs without keys
        refused(sent(desk, fields()), 401)


def block(language: str) -> str:
    """The first block of the page in a language."""
    return (DOCS / "signed.md").read_text(encoding="utf-8").partition(f"```{language}\n")[2].partition("```")[0]


def test_the_page_shows_how_to_sign() -> None:
    shown_there: dict[str, Any] = {}
    exec(block("python"), shown_there)  # noqa: S102 - what the page tells others to run
    odd = {"b": "a&b=c +~*/%", "a": "路灯\r\n", "中文": "", "sign": "x", "B": "1"}
    assert shown_there["sign"](odd, "密钥") == signature(odd, "密钥")


def test_the_page_shows_what_is_answered(decider: Decider, tmp_path: Path) -> None:
    (example,) = shown("signed.md")
    said = dict(parse_qsl(example.body))
    path = tmp_path / "apps.toml"
    path.write_text(block("toml"), encoding="utf-8")
    (app,) = Apps.read(path).app
    assert said["sign"] == signature(said, app.secret)
    now = said | {"timestamp": str(int(time.time()))}
    with opened(decider, tmp_path, signed.routes, signed_apps=path) as desk:
        refused(sent(desk, said | {"timestamp": "1700000000"}), 401)
        reply = sent(desk, now | {"sign": signature(now, app.secret)})
    assert reply.status_code == 200
    answer = reply.json()
    assert isinstance(answer["data"].pop("reasons"), list)  # the small model has some where the page has none
    assert example.answer["data"].pop("reasons") == []
    assert form(answer) == form(example.answer)
