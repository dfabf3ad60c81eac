"""`jiesu audit`: what it prints, what it refuses, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from serving.audit.record import Record
from serving.journal.decided import subject_of
from serving.journal.journal import Journal
from serving.journal.opening import opened_journal
from serving.secret import open_secret
from serving.settings import Settings
from serving.store.engine import writing
from tests.serving.audit.conftest import NOW, decided, records
from tests.serving.conftest import Run

PHONE = "13900000000"  # nobody's: no operator has given it out
Opened = Callable[[], Iterator[Journal]]


@pytest.fixture
def settings(run: Run, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that the commands read, with a database of this test's own."""
    monkeypatch.setenv("JIESU_STORE", store_url)
    return Settings(store=SecretStr(store_url))


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """Two decisions on calls from one number, one from another, and three records of commands."""
    with opened_journal(settings) as journal:
        secret = open_secret(settings)
        for petition, phone in (("A-1", PHONE), ("B-1", "13800000000"), ("A-2", "86" + PHONE)):
            subject = subject_of(phone, secret)
            journal.write_now(lambda unit, petition=petition, subject=subject: decided(unit, petition, subject))  # type: ignore[misc]
        journal.write_now(
            lambda unit: unit.note(*records(3, actor="甲01", action="keys", object="\x1b[31m红", detail={}))
        )
    return settings


def head(run: Run) -> str:
    last = run("audit", "verify").stdout.splitlines()[-2]
    return last.removeprefix("链条完好，链头 ")


def tamper(settings: Settings, statement: str) -> None:
    with opened_journal(settings) as journal, writing(journal.engine) as connection:
        connection.execute(text(statement))


def test_a_sound_chain(run: Run, filled: Settings) -> None:
    done = run("audit", "verify")
    assert done.returncode == 0, done.stderr
    first, last, *_ = done.stdout.splitlines()
    assert first == "查了 6 条记录"
    assert last.startswith("链条完好，链头 6:")


def test_faults_are_told_and_the_exit_code_is_1(run: Run, filled: Settings) -> None:
    tamper(filled, "UPDATE audit SET actor = 'x' WHERE seq > 1")
    done = run("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == "第 2 条：与写下时不同，或者不在原来的位置"
    assert done.stderr == "jiesu：审计链不对：5 处\n"


def test_at_most_twenty_are_told(run: Run, filled: Settings) -> None:
    with opened_journal(filled) as journal:
        journal.write_now(lambda unit: unit.note(*records(30)))
    tamper(filled, "UPDATE audit SET actor = 'x'")
    assert run("audit", "verify").stdout.splitlines()[1:][20:] == ["另有 16 处"]


def test_a_head_that_was_noted(run: Run, filled: Settings) -> None:
    noted = head(run)
    assert run("audit", "verify", "--expect", noted).returncode == 0
    assert run("audit", "verify", "--expect", "5" + noted[1:]).returncode == 1
    assert run("audit", "verify", "--expect", "9" + noted[1:]).returncode == 1


@pytest.mark.parametrize("written", ["", "6", "6:", ":" + "0" * 64, "6:" + "g" * 64, "-1:" + "0" * 64, "6:" + "0" * 63])
def test_bad_places_are_refused(run: Run, filled: Settings, written: str) -> None:
    done = run("audit", "verify", f"--expect={written}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--expect" in done.stderr


def test_another_secret(run: Run, filled: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_SECRET", "y" * 32)
    done = run("audit", "verify")
    assert done.returncode == 1
    assert "服务器的秘密换过" in done.stdout


def test_an_empty_audit_proves_nothing(run: Run, settings: Settings) -> None:
    done = run("audit", "verify")
    assert done.returncode == 1
    assert "没有链头" in done.stdout


def listed(run: Run, *filters: object) -> list[dict[str, object]]:
    done = run("audit", "list", "--json", *filters)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_records_as_jsonl(run: Run, filled: Settings) -> None:
    found = listed(run)
    assert [record["seq"] for record in found] == [1, 2, 3, 4, 5, 6]
    assert found[0]["detail"] == {"petition": "A-1"}
    assert set(found[0]) == {
        "seq", "id", "at", "actor", "action", "object", "outcome", "model", "rule", "detail_digest", "hash", "detail",
    }  # fmt: skip


def test_filters(run: Run, filled: Settings) -> None:
    found = listed(run)
    assert [record["seq"] for record in listed(run, "--actor", "甲01")] == [4, 5, 6]
    assert [record["seq"] for record in listed(run, "--action", "decide", "--since", found[0]["at"])] == [1, 2, 3]
    assert [record["seq"] for record in listed(run, "--object", found[1]["object"])] == [2]
    assert [record["seq"] for record in listed(run, "--since", found[5]["at"])] == [6]
    assert [record["seq"] for record in listed(run, "--until", found[4]["at"])] == [1, 2, 3, 4]
    assert listed(run, "--actor", "x' OR '1'='1") == []


@pytest.mark.parametrize("time", ["gestern", "2026-13-01", "99999-01-01"])
def test_bad_times_are_refused(run: Run, filled: Settings, time: str) -> None:
    done = run("audit", "list", "--since", time)
    assert done.returncode == 2
    assert "--since" in done.stderr


def test_the_table_obeys_nothing_that_is_in_it(run: Run, filled: Settings) -> None:
    done = run("audit", "list", "--action", "keys")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("�[31m红") == 3
    assert "\x1b" not in done.stdout


def test_forgetting_a_number_in_whatever_form_it_came(run: Run, filled: Settings) -> None:
    before = head(run)
    dry = run("audit", "forget", "--phone", "+86 139-0000-0000", "--dry-run")
    assert dry.stdout == "找到：决定 2，审计内容 2\n"
    assert head(run) == before
    done = run("audit", "forget", "--phone", "+86 139-0000-0000", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "已删除：决定 2，审计内容 2"
    assert "其中 2 条的内容已按请求删除" in run("audit", "verify", "--expect", before).stdout
    told = listed(run, "--action", "forget")[0]
    assert told["detail"] == {
        "decisions": "2", "feedback": "0", "outcomes": "0", "calls": "0", "events": "0", "requests": "0",
        "details": "2", "seqs": "1,3",
    }  # fmt: skip
    assert PHONE not in json.dumps(listed(run), ensure_ascii=False)


def test_forgetting_one_petition(run: Run, filled: Settings) -> None:
    assert run("audit", "forget", "--petition", "B-1", "--yes").returncode == 0
    details = [record["detail"] for record in listed(run, "--action", "decide")]
    assert details == [{"petition": "A-1"}, None, {"petition": "A-2"}]
    assert run("audit", "verify").returncode == 0


def test_without_a_yes_nothing_goes(run: Run, filled: Settings) -> None:
    before = head(run)
    for answer in (b"n\n", b""):
        assert run("audit", "forget", "--petition", "B-1", stdin=answer).returncode == 1
    assert head(run) == before
    assert run("audit", "forget", "--petition", "B-1", stdin=b"y\n").returncode == 0


def test_nobody_is_found(run: Run, filled: Settings) -> None:
    done = run("audit", "forget", "--petition", "Z-9", "--yes")
    assert (done.returncode, done.stdout) == (0, "没有找到任何记录\n")


@pytest.mark.parametrize("wrong", [[], ["--phone", PHONE, "--petition", "A-1"], ["--phone", "12"], ["--phone", "无"]])
def test_whose_it_is_must_be_plain(run: Run, filled: Settings, wrong: list[str]) -> None:
    done = run("audit", "forget", "--yes", *wrong)
    assert done.returncode == 2
    assert PHONE not in done.stderr


def test_a_record_may_hold_any_name(run: Run, settings: Settings) -> None:
    names = ["a" * 5000, "=1+1", "'; DROP TABLE audit; --", "\u202e倒"]
    with opened_journal(settings) as journal:
        made = [Record(id=one.id, at=NOW, actor=name, action="a") for one, name in zip(records(4), names, strict=True)]
        journal.write_now(lambda unit: unit.note(*made))
    assert [record["actor"] for record in listed(run)] == names
    assert run("audit", "verify").returncode == 0
