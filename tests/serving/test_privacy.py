"""Planted personal data: never in a reply, a log, the metrics, on stderr or in a file."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import serving.rules.office
from nlp.decider import Decider
from nlp.identifiers import is_bank_card, is_identity_card
from serving.app import create_app
from serving.logs import JsonFormatter
from serving.settings import Settings

PLANTED = {
    "mobile": "13987654321",
    "spaced mobile": "139 8765 4322",
    "identity card": "510115199003074138",
    "bank card": "6222021234567890128",
    "plate": "川A8K6P3",
    "e-mail": "wang.xiaoer99@example.cn",
    "wechat": "xiaoer_wang1990",
    "qq": "987612345",
    "name": "欧阳建华",
    "landline": "028-82712345",
}
PHRASES = [
    "电话13987654321，另一个139 8765 4322，固话028-82712345。",
    "我的身份证号510115199003074138，卡号6222021234567890128，钱一直没退。",
    "我叫欧阳建华，车牌川A8K6P3的车被划了。",
    "请发到wang.xiaoer99@example.cn，或者微信xiaoer_wang1990，QQ987612345。",
]
CORE = "楼上卫生间往我家滴水，"
Lines = Callable[[list[dict[str, Any]]], bytes]
Run = Callable[..., Any]


def petitions() -> list[dict[str, Any]]:
    """Each phrase before, after and within a petition, in the title, and in the fields beside."""
    texts = [
        shape for phrase in PHRASES for shape in (phrase, CORE + phrase, phrase + CORE, f"<p>{CORE}\n{phrase}</p>")
    ]
    texts.append(CORE + "".join(PHRASES))
    beside = {"phone": PLANTED["mobile"], "location": PHRASES[0], "channel": PHRASES[2], "来电人": PHRASES[2]}
    plain = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    return plain + [{**petition, "title": PHRASES[number % 4], **beside} for number, petition in enumerate(plain)]


def leaks(*places: str) -> list[str]:
    """The kinds of personal data that stand in any of the places, spaces and signs left out too."""
    whole = "\n".join(places)
    bare = whole.replace(" ", "").replace("-", "")
    folded = whole.casefold(), bare.casefold()
    return [
        kind for kind, value in PLANTED.items()
        if value.casefold() in folded[0] or value.replace(" ", "").replace("-", "").casefold() in folded[1]
    ]  # fmt: skip


def test_what_is_planted_is_what_it_says() -> None:
    assert is_identity_card(PLANTED["identity card"].lower())
    assert is_bank_card(PLANTED["bank card"])
    sent = json.dumps(petitions(), ensure_ascii=False)
    assert leaks(sent) == list(PLANTED)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All log lines so far, as the service writes them."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(JsonFormatter().format(record) for record in caplog.records)


@pytest.mark.parametrize("evidence", [True, False])
def test_a_reply_holds_no_personal_data(client: TestClient, logged: Callable[[], str], evidence: bool) -> None:
    reply = client.post("/v1/decisions", json={"petitions": petitions(), "evidence": evidence})
    assert reply.status_code == 200
    assert "[手机号]" in reply.text
    assert leaks(reply.text, client.get("/metrics").text, logged()) == []


@pytest.mark.parametrize("kind", list(PLANTED))
def test_two_of_a_kind_side_by_side_are_both_hidden(client: TestClient, kind: str) -> None:
    shown = {"name": "我叫{}", "wechat": "微信{}", "qq": "QQ{}", "landline": "电话{}"}.get(kind, "{}").format(
        PLANTED[kind]
    )
    other = {"name": "我叫王五", "e-mail": "ab@c.cn", "wechat": "微信abcdef", "qq": "QQ12345678"}.get(kind, shown)
    texts = [f"{other}，{shown}。", f"{shown}，{other}。", f"{other}\n{shown}", f"{other}，{other}，{shown}，{shown}"]
    reply = client.post("/v1/decisions", json={"petitions": [{"id": "1", "text": text} for text in texts]})
    assert leaks(reply.text) == []


def test_the_number_given_back_is_the_one_that_was_sent(client: TestClient) -> None:
    reply = client.post("/v1/decisions", json={"petitions": [{"id": PLANTED["mobile"], "text": CORE}]})
    decision = reply.json()["decisions"][0]
    assert decision.pop("id") == PLANTED["mobile"]
    assert leaks(json.dumps(decision, ensure_ascii=False)) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"text": 13987654321},
        {"text": ["我叫欧阳建华", 13987654321]},
        {"title": {"a": "我叫欧阳建华"}},
        {"phone": 13987654321},
        {"received_at": "13987654321我叫欧阳建华"},
        {"received_at": "9999-12-31T13:98:76我叫欧阳建华"},
        {"id": "川A8K6P3" * 40},
        {"id": None},
    ],
)
def test_a_refusal_repeats_no_value(client: TestClient, logged: Callable[[], str], fault: dict[str, Any]) -> None:
    sent = [*petitions(), {"id": "wrong", "text": CORE} | fault, *petitions()]
    reply = client.post("/v1/decisions", json={"petitions": sent})
    assert reply.status_code == 422
    assert leaks(reply.text, client.get("/metrics").text, logged()) == []


@pytest.mark.parametrize("cut", [1, 40, 400, 2000])
def test_a_body_that_breaks_off_is_not_repeated(client: TestClient, logged: Callable[[], str], cut: int) -> None:
    body = json.dumps({"petitions": petitions()}, ensure_ascii=False).encode()[:-cut]
    reply = client.post("/v1/decisions", content=body)
    assert reply.status_code == 422
    assert leaks(reply.text, logged()) == []


def test_a_path_is_not_repeated(client: TestClient, logged: Callable[[], str]) -> None:
    reply = client.get(f"/v1/decisions/{PLANTED['mobile']}", params={"name": PLANTED["name"]})
    assert reply.status_code == 404
    assert leaks(reply.text, client.get("/metrics").text, logged().replace(str(reply.request.url), "")) == []


class Broken(Decider):
    """Fails as code does that puts what it was working on into its message."""

    def decide(self, petitions: Any, options: Any) -> Any:
        raise KeyError("，".join(petition.text for petition in petitions))


@pytest.mark.parametrize("count", [1, 30])
def test_a_crash_tells_the_log_where_but_not_whose(decider: Decider, logged: Callable[[], str], count: int) -> None:
    app = create_app(Settings(insecure=True), Broken(decider.model))
    broken = TestClient(app, raise_server_exceptions=False)
    reply = broken.post("/v1/decisions", json={"petitions": petitions()[-count:]})
    assert reply.status_code == 500
    assert "KeyError" in logged()
    assert leaks(reply.text, broken.get("/metrics").text) == []
    assert leaks(logged()) == []


def files(folder: Path) -> str:
    return "\n".join(
        f"{path}\n{path.read_bytes().decode(errors='replace')}" for path in folder.rglob("*") if path.is_file()
    )


def test_the_command_line_holds_no_personal_data(decide: Run, lines: Lines, tmp_path: Path) -> None:
    broken = [f'{{"id": "1", "text": "{PHRASES[0]}"', '{"id": 13987654321}', '{"id": "1", "text": 13987654321}']
    stdin = lines(petitions()) + "\n".join(broken).encode() + b"\n" + lines(petitions())
    done = decide(stdin=stdin)
    assert done.returncode == 2
    assert done.stdout.count("\n") == 2 * len(petitions())
    assert leaks(done.stdout, done.stderr, files(tmp_path)) == []


def test_the_table_for_people_holds_no_personal_data(run: Run, model_folder: Path, tmp_path: Path) -> None:
    for phrase in PHRASES:
        done = run("classify", CORE + phrase, "--model", model_folder)
        assert done.returncode == 0
        assert leaks(done.stdout, done.stderr, files(tmp_path)) == []


def test_a_crash_of_the_command_line_tells_nobody(
    run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch, model_folder: Path
) -> None:
    monkeypatch.setattr(serving.rules.office, "Decider", Broken)
    done = run("decide", "--model", model_folder, stdin=lines(petitions()))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert leaks(done.stdout, done.stderr) == []
