from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from pathlib import Path
from typing import Any

import orjson
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.access.scope import Scope
from serving.access.who import Who
from serving.calls.line import Line
from serving.calls.turns import CallReply, CallText
from serving.journal.decided import opened, subject_of
from serving.service import Service
from serving.store import tables

LEAK = ["你好我家楼上", "卫生间往下漏水", "已经漏了三天了", "物业也不来管", "墙都湿透了你们来看看"]
MADE = re.compile(r"\b(?:\d{13}|[0-9a-f]{64}|[0-9A-HJKMNP-TV-Z]{26})\b")  # may hold any few digits
OPERATORS = Who("other", "另一个", Scope.operator)


def turn(text: str, number: int | None = None, speaker: str = "市民", **more: Any) -> dict[str, Any]:
    return {"speaker": speaker, "text": text} | ({} if number is None else {"number": number}) | more


def post(client: TestClient, *turns: dict[str, Any], call: str = "c1", **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/calls/{call}/text", json={"turns": list(turns), **more})
    assert answer.status_code == 200, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


def count(service: Service, table: Any) -> int:
    return service.journal.read(
        lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one()
    )


def stored(service: Service) -> str:
    """Everything about calls and decisions that stands in the store, as text, without times, numbers and hashes."""
    rows = service.journal.read(
        lambda connection: [
            *connection.execute(select(tables.calls.c.content)).scalars(),
            *connection.execute(select(tables.decisions.c.content)).scalars(),
        ]
    )
    return MADE.sub("", "".join(zlib.decompress(row).decode() for row in rows))


def test_a_call_from_the_first_turn_to_the_end(desk: TestClient, service: Service) -> None:
    first = post(desk, turn("您好请讲", 1, "坐席"))
    assert (first["transcript"], first["turns"], first["settled"], first["settled_at_turn"]) == ("", 1, False, None)
    assert first["decision"]["needs_human"]
    replies = [post(desk, turn(text, number)) for number, text in enumerate(LEAK, 2)]
    assert {reply["decision"]["decision_id"] for reply in replies} == {first["decision"]["decision_id"]}
    assert replies[-1]["transcript"] == " ".join(LEAK)
    assert replies[-1]["decision"]["category"]["code"] == "leak"
    assert replies[-1]["turns"] == 6
    for piece in replies[-1]["decision"]["evidence"]:
        assert replies[-1]["transcript"][piece["start"] : piece["end"]] == piece["text"]
    assert replies[-1]["decision"]["masked_text"] == replies[-1]["transcript"]
    assert count(service, tables.decisions) == 0
    last = post(desk, end=True)
    assert last["ended"]
    assert last["decision"]["decision_id"] == first["decision"]["decision_id"]
    assert count(service, tables.decisions) == 1
    assert post(desk, end=True) == last
    assert post(desk, turn(LEAK[0], 2)) == last
    assert count(service, tables.decisions) == 1
    feedback = {"decision_id": last["decision"]["decision_id"], "verdict": "accepted"}
    assert desk.post("/v1/feedback", json=feedback).status_code == 200


def test_the_same_post_again_is_the_same_answer(desk: TestClient) -> None:
    for number, text in enumerate(LEAK, 1):
        once = post(desk, turn(text, number))
        again = post(desk, turn(text, number))
        assert {**once, "decision": 0} == {**again, "decision": 0}
    assert once["settled_at_turn"] == again["settled_at_turn"]


def test_all_at_once_is_the_same_as_one_by_one(desk: TestClient) -> None:
    turns = [turn(text, number) for number, text in enumerate([*LEAK, "我电话138", "1234", "5678"], 1)]
    for each in turns:
        slowly = post(desk, each, call="slowly")
    fast = post(desk, *turns, call="fast")
    for same in ("transcript", "settled", "turns"):
        assert slowly[same] == fast[same]
    assert slowly["decision"]["category"] == fast["decision"]["category"]


def test_partial_turns_replace_each_other(desk: TestClient) -> None:
    post(desk, turn("我家", 1, final=False))
    post(desk, turn("我家楼上漏", 1, final=False))
    reply = post(desk, turn("我家楼上漏水", 1))
    assert (reply["transcript"], reply["turns"], reply["changes"]) == ("我家楼上漏水", 1, 0)
    assert post(desk, turn("我家楼", 1, final=False))["transcript"] == "我家楼上漏水"


def test_a_red_line_settles_at_once(desk: TestClient) -> None:
    reply = post(desk, turn("我女儿站在楼顶要跳楼快来人", 1))
    assert reply["decision"]["clock"]["code"] == "emergency"
    assert (reply["settled"], reply["settled_at_turn"], reply["red_line"]) == (True, 1, True)


def test_nothing_personal_is_stored(desk: TestClient, service: Service) -> None:
    texts = ["我叫王小明", "我电话138", "1234", "5678", "家里漏水"]
    for number, text in enumerate(texts):
        post(desk, turn(text, number), turn("您是王小明，13812345678对吗", number + 100, "坐席"),
             location="花溪路3号5栋2单元501室", phone="13812345678")  # fmt: skip
        for secret in ("1234", "5678", "小明", "501", "13812345678"):
            assert secret not in stored(service)
    reply = post(desk, end=True)
    assert "1234" not in stored(service)
    assert reply["transcript"] == "我叫[姓名] 我电话[号码] [号码] [号码] 家里漏水"
    subject = subject_of("13812345678", service.secret)
    row = service.journal.read(lambda connection: connection.execute(select(tables.decisions)).one())
    assert (row.subject, row.petition, row.channel) == (subject, "c1", "电话")
    assert opened(row.content)["masked_text"] == reply["transcript"]
    kept = service.journal.read(lambda connection: connection.execute(select(tables.calls.c.content)).scalar_one())
    assert "漏水" not in zlib.decompress(kept).decode()  # the words stand in the decision, and go with it


def test_late_turns_are_refused_and_told(desk: TestClient) -> None:
    post(desk, turn("漏水", 1), end=True)
    for late in (turn("还有", 2), turn("还有")):
        answer = desk.post("/v1/calls/c1/text", json={"turns": [late]})
        assert answer.status_code == 422
        assert "已经结束" in answer.json()["detail"]


def test_a_decision_that_was_deleted_is_not_told_again(desk: TestClient, service: Service) -> None:
    post(desk, turn("漏水", 1), end=True)
    service.journal.write_now(lambda unit: unit.connection.execute(tables.decisions.delete()).rowcount)
    assert desk.post("/v1/calls/c1/text", json={"end": True}).status_code == 422


def test_the_clock_runs_from_the_first_turn(desk: TestClient) -> None:
    post(desk, turn("漏水", 1, at="2026-11-23T09:00:00+08:00"))
    reply = post(desk, turn("三天了", 2, at="2026-11-23T09:05:00+08:00"))
    assert reply["decision"]["received_at"] == "2026-11-23T09:00:00+08:00"


def test_the_profile_stays_and_an_unknown_one_writes_nothing(desk: TestClient, service: Service) -> None:
    assert desk.post("/v1/calls/c1/text", json={"profile": "nowhere"}).status_code == 422
    assert count(service, tables.calls) == 0
    post(desk, turn("漏水", 1), profile="wenjiang")
    assert post(desk, turn("三天", 2))["decision"]["route"]["profile"] == "wenjiang"


def test_an_idempotency_key_appends_a_turn_once(desk: TestClient) -> None:
    for _ in range(2):
        answer = desk.post("/v1/calls/c1/text", json={"turns": [turn("漏水")]}, headers={"idempotency-key": "k1"})
        assert answer.status_code == 200
    assert answer.headers["idempotency-replayed"] == "true"
    assert post(desk)["turns"] == 1


WRONG = [
    ({"turns": [{"speaker": "路人", "text": "x"}]}, "turns[0].speaker"),
    ({"turns": [{"speaker": "市民"}]}, "turns[0].text"),
    ({"turns": [{"speaker": "市民", "text": "x", "number": -1}]}, "turns[0].number"),
    ({"turns": [{"speaker": "市民", "text": "x", "number": 1.5}]}, "turns[0].number"),
    ({"turns": [{"speaker": "市民", "text": "x", "at": 17}]}, "turns[0].at"),
    ({"turns": [{"speaker": "市民", "text": "x", "at": "9999-01-01"}]}, "turns[0].at"),
    ({"turns": "漏水"}, "turns"),
    ({"turn": []}, "turn"),
    ({"location": "x" * 1001}, "location"),
    ({"turns": [{"speaker": "市民", "text": "漏" * 100_001}]}, "turns"),
    ({"turns": [{"speaker": "坐席", "text": ""}] * 2001}, "turns"),
]
ODD = ["", " ", "\0", "1" * 3000, "嗯", "😀", "<b>漏水</b>", "\u202e漏水", "漏" * 30_000]


def test_what_is_wrong_is_named(desk: TestClient, service: Service) -> None:
    for body, path in WRONG:
        answer = desk.post("/v1/calls/c1/text", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert count(service, tables.calls) == 0


def test_odd_numbers_of_calls_are_refused(desk: TestClient) -> None:
    for name in ("x" * 201, "a%00b", "a%0Ab", "%C2%85"):
        assert desk.post(f"/v1/calls/{name}/text", json={}).status_code == 422
    for name in ("x" * 200, "2026-11-23 009", "来电%2317", "é"):
        assert post(desk, call=name)["turns"] == 0


def test_odd_words_are_answered(desk: TestClient) -> None:
    for number, text in enumerate(ODD):
        reply = post(desk, turn(text, 1), call=f"odd-{number}", end=True)
        assert post(desk, call=f"odd-{number}") == reply


def test_another_key_has_another_call(service: Service) -> None:
    line = Line(service)
    said = CallText.model_validate({"turns": [turn("漏水", 1)]})

    async def both() -> tuple[bytes, bytes]:
        mine = await line.take("c1", said, Who("mine", "", Scope.operator))
        return mine, await line.take("c1", CallText(), OPERATORS)

    mine, theirs = asyncio.run(both())
    assert [orjson.loads(reply)["transcript"] for reply in (mine, theirs)] == ["漏水", ""]


def test_posts_at_once_from_several_instances_lose_no_turn(service: Service) -> None:
    lines = [Line(service), Line(service), Line(service)]  # each with locks of its own, like a process

    async def flood() -> None:
        said = [CallText.model_validate({"turns": [turn(f"第{n}句漏水", n)]}) for n in range(24)]
        await asyncio.gather(*(lines[n % 3].take("c1", one, OPERATORS) for n, one in enumerate(said)))

    asyncio.run(flood())
    reply = asyncio.run(lines[0].take("c1", CallText(), OPERATORS)).decode()
    assert all(f"第{n}句漏水" in reply for n in range(24))


def test_two_ends_at_once_make_one_decision(service: Service) -> None:
    lines = [Line(service), Line(service)]
    said = CallText.model_validate({"turns": [turn("漏水", 1)], "end": True})

    async def both() -> list[bytes]:
        return await asyncio.gather(*(line.take("c1", said, OPERATORS) for line in lines for _ in range(3)))

    assert len(set(asyncio.run(both()))) == 1
    assert count(service, tables.decisions) == 1
    actions = service.journal.read(lambda connection: connection.execute(select(tables.audit.c.action)).scalars().all())
    assert actions.count("decide") == 1


def test_the_page_shows_a_real_answer(desk: TestClient) -> None:
    page = (Path(__file__).parents[3] / "docs" / "calls.md").read_text(encoding="utf-8")
    asked, answered = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    turns = asked.pop("turns")
    reply = post(desk, *turns, call=answered["call"], **asked)
    reply["decision"] = {"category": {"code": reply["decision"]["category"]["code"]}}
    assert reply == answered
    assert list(answered) == list(CallReply.model_fields)


def test_a_restart_loses_nothing(service: Service) -> None:
    said = CallText.model_validate({"turns": [turn("漏水", 1)]})
    asyncio.run(Line(service).take("c1", said, OPERATORS))
    reply = asyncio.run(Line(service).take("c1", CallText(end=True), OPERATORS)).decode()
    assert '"transcript":"漏水"' in reply


def test_a_post_costs_little_beyond_the_decision(service: Service) -> None:
    """The promise is 5 ms on a quiet machine; other work may run beside the tests, so processor time is measured."""
    line = Line(service)
    said = [CallText.model_validate({"turns": [turn(text, n)]}) for n, text in enumerate(LEAK * 8)]

    async def spoken() -> float:
        begun = time.process_time()
        for one in said:
            await line.take("c1", one, OPERATORS)
        return (time.process_time() - begun) / len(said)

    assert asyncio.run(spoken()) < 0.02
