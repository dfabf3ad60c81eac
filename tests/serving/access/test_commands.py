"""`jiesu keys`: a key is shown once, listed without its secret, and revoked."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

import jiesu
from serving.access.commands import milliseconds
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.journal.opening import opened_journal
from serving.secret import open_secret
from serving.settings import Settings
from tests.serving.conftest import Run

KEY = re.compile(r"([a-z2-7]{12})\.[A-Za-z0-9_-]{43}\n")


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jiesu.COMMANDS, "keys", "serving.access.commands:keys_commands")


def test_a_key_stands_alone_on_stdout_and_opens(run: Run, tmp_path: Path) -> None:
    done = run(
        "keys", "create", "--scope", "operator", "--name", "热线\x1b[31m平台", "--expires", "90d", "--rate", "9/hour"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert KEY.fullmatch(done.stdout)
    settings = Settings(home=tmp_path / "home")
    with opened_journal(settings) as journal:
        key = asyncio.run(Keys(journal, open_secret(settings)).find(done.stdout.strip()))
    assert key is not None
    assert (key.scope, key.name, key.rate) == (Scope.operator, "热线[31m平台", "9/hour")
    assert key.expires_at == pytest.approx((time.time() + 90 * 86_400) * 1000, abs=60_000)


def test_the_list_shows_every_key_and_no_secret(run: Run) -> None:
    made = [run("keys", "create", "--scope", scope).stdout for scope in ("operator", "admin")]
    first, second = (key.partition(".")[0] for key in made)
    assert run("keys", "revoke", first).stderr == f"{first}：已作废\n"
    listed = run("keys", "list", "--json")
    assert listed.returncode == 0
    rows = json.loads(listed.stdout)
    assert [(row["id"], row["scope"], row["state"], row["expires_at"]) for row in rows] == [
        (first, "operator", "作废", None), (second, "admin", "有效", None),
    ]  # fmt: skip
    table = run("keys", "list").stdout
    assert first in table
    assert second in table
    for key in made:
        assert key.strip().partition(".")[2] not in listed.stdout + table


def test_an_empty_list_is_no_error(run: Run) -> None:
    assert json.loads(run("keys", "list", "--json").stdout) == []


def test_a_key_is_revoked_once_by_its_id_or_whole(run: Run) -> None:
    made = run("keys", "create", "--scope", "data").stdout.strip()
    name, _, secret = made.partition(".")
    done = run("keys", "revoke", made)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{name}：已作废\n")
    assert run("keys", "revoke", name).stderr == f"{name}：早已作废\n"
    assert secret not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["create"],
        ["create", "--scope", "root"],
        ["create", "--scope", "operator", "--rate", "often"],
        ["create", "--scope", "operator", "--rate", "0/minute"],
        ["create", "--scope", "operator", "--expires", "soon"],
        ["create", "--scope", "operator", "--expires", "0d"],
        ["create", "--scope", "operator", "--expires", "-1d"],
        ["create", "--scope", "operator", "--expires", "999999d"],
        ["revoke"],
        ["revoke", "aaaaaaaaaaaa"],
        ["revoke", "'; DROP TABLE keys; --"],
        ["revoke", ""],
    ],
)
def test_bad_usage_ends_with_two_and_makes_nothing(run: Run, words: list[str]) -> None:
    done = run("keys", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr
    assert json.loads(run("keys", "list", "--json").stdout) == []


def test_a_secret_that_is_too_short_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_SECRET", "short")
    done = run("keys", "create", "--scope", "operator")
    assert (done.returncode, done.stdout) == (2, "")


def test_spans_are_read() -> None:
    days = [milliseconds(span) / 86_400_000 for span in ("12h", "90d", "26w", "1y")]
    assert days == [0.5, 90, 182, 365]
