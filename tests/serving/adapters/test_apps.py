"""Apps: what their file may hold, and what a signature proves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import InputError, RefusedData
from serving.access.scope import Scope
from serving.adapters.apps import App, Apps, signature

SECRETS = {"street": "s" * 32, "limited": "t" * 32}
FILE = "".join(
    f'[[app]]\ncode = "{code}"\nsecret = "{secret}"\nscope = "admin"\nrate = "2/hour"\n'
    for code, secret in SECRETS.items()
)
texts = st.text(st.characters(codec="utf-8"), max_size=8)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "apps.toml"
    path.write_text(f"[[app]]\ncode = 'a'\nsecret = '{'s' * 32}'", encoding="utf-8")
    (app,) = Apps.read(path).app
    who = app.who
    assert (who.key, who.name, who.scope, who.rate) == ("signed:a", "a", Scope.operator, "")
    assert "s" * 32 not in repr(app)


def test_without_a_file_there_are_none() -> None:
    assert Apps.read(None) == Apps()


def test_sm3_is_the_standard_one_in_an_hmac() -> None:
    """GB/T 32905-2016, A.1: SM3 of `abc`; RFC 2104: how an HMAC is made of it."""
    digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert hashlib.new("sm3", b"abc").hexdigest() == digest
    key = b"k" * 32 + bytes(32)
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in key) + b"a=b").digest()
    outer = hashlib.new("sm3", bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert signature({"a": "b"}, "k" * 32, "sm3") == outer


@pytest.mark.parametrize(
    ("content", "reason"),
    [("[[app]]\ncode = 'a'", "缺少字段"), (f"[[app]]\ncode = 'a b'\nsecret = '{'s' * 32}'", "只许"),
     ("[[app]]\ncode = 'a'\nsecret = 'short'", "app.1.secret"), (FILE + FILE, "重复"), ("[[app", "at end of document"),
     (FILE.replace("admin", "data"), "operator"), (FILE.replace("admin", "root"), "app.1.scope"),
     (FILE.replace("rate", "rat"), "没有这个字段"), (FILE.replace("2/hour", "often"), "600/minute")],
)  # fmt: skip
def test_a_faulty_file_is_refused_without_its_secrets(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "apps.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises((RefusedData, InputError)) as caught:
        Apps.read(path)
    assert reason in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("short", *SECRETS.values()))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedData):
        Apps.read(tmp_path / "none.toml")


@given(st.dictionaries(texts, texts, min_size=1), st.dictionaries(texts, texts, min_size=1))
def test_two_forms_are_signed_alike_only_if_they_say_the_same(one: dict[str, str], two: dict[str, str]) -> None:
    for fields in (one, two):
        fields.pop("sign", None)
    assert (signature(one, "s") == signature(two, "s")) == (one == two)
    assert signature(one, "s") == signature(dict(reversed(one.items())) | {"sign": "x"}, "s") != signature(one, "t")


@given(st.dictionaries(texts, texts), texts)
def test_only_the_holder_of_the_secret_signs(fields: dict[str, str], guess: str) -> None:
    fields.pop("sign", None)
    app = App("a", "s" * 32, scope=Scope.operator)
    apps = Apps((app,))
    assert apps.signer("a", signature(fields, "s" * 32).upper(), "hmac-sha256", fields) == app
    assert apps.signer("a", signature(fields, guess), "hmac-sha256", fields) is None
    assert apps.signer("b", signature(fields, "s" * 32), "hmac-sha256", fields) is None
