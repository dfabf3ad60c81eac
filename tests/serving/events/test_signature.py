"""A receiver knows a message that was signed from any other."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from serving.events.signature import TOLERANCE, BadSignature, key_of, signed, verify

KEY = b"k" * 32
PAGE = Path(__file__).parents[3] / "docs" / "events.md"


def test_the_example_of_the_standard_is_signed_as_the_standard_says() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    name=some.text(some.characters(codec="ascii", categories=["L", "N"])),
    body=some.binary(),
    at=some.integers(0, 10**11),
)
def test_what_was_signed_verifies_and_nothing_else_does(name: str, body: bytes, at: int) -> None:
    headers = signed(KEY, name, at, body)
    verify(KEY, headers, body, at)
    for key, told, said in (
        (KEY, headers, body + b"x"),
        (KEY[:-1] + b"l", headers, body),
        (KEY, headers | {"webhook-id": name + "x"}, body),
        (KEY, headers | {"webhook-timestamp": str(at + 1)}, body),
    ):
        with pytest.raises(BadSignature, match="与内容不符"):
            verify(key, told, said, at)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = signed(KEY, "a", 0, b"{}")
    headers["webhook-signature"] = "v1a,x v1,AAAA " + headers["webhook-signature"]
    verify(KEY, {name.title(): value for name, value in headers.items()}, b"{}", 0)


@pytest.mark.parametrize("now", [-TOLERANCE - 1, TOLERANCE + 1])
def test_an_old_message_or_one_from_the_future_is_refused(now: float) -> None:
    headers = signed(KEY, "a", 10**9, b"{}")
    verify(KEY, headers, b"{}", 10**9 + now - (1 if now > 0 else -1))
    with pytest.raises(BadSignature, match="5 分钟"):
        verify(KEY, headers, b"{}", 10**9 + now)


@pytest.mark.parametrize("at", ["", "x", "-1", "１２", "9" * 5000, "1e9", "nan"])
def test_a_timestamp_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(BadSignature, match="5 分钟"):
        verify(KEY, signed(KEY, "a", 0, b"") | {"webhook-timestamp": at}, b"", 10**9)


@pytest.mark.parametrize("lacking", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_message_without_one_of_the_headers_is_refused(lacking: str) -> None:
    headers = signed(KEY, "a", 0, b"")
    del headers[lacking]
    with pytest.raises(BadSignature, match=lacking):
        verify(KEY, headers, b"", 0)


def test_a_signature_of_odd_letters_is_refused_like_any_other() -> None:
    with pytest.raises(BadSignature, match="与内容不符"):
        verify(KEY, signed(KEY, "a", 0, b"") | {"webhook-signature": "v1,签名"}, b"", 0)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("YWJj" * 8, "whsec_"),
        ("whsec_!!!!", "base64"),
        ("whsec_" + "YWJj" * 7, "24–64"),
        ("whsec_" + "YWJj" * 22, "24–64"),
    ],
)
def test_a_secret_that_is_none_is_refused(secret: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        key_of(secret)


def test_the_receiver_on_the_page_takes_what_is_signed_and_refuses_the_rest() -> None:
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[0]
    page: dict[str, Any] = {}
    exec(code, page)  # noqa: S102 - what the page shows is what is tested
    secret = "whsec_" + base64.b64encode(KEY).decode()
    headers = signed(KEY, "01J", 1000, b'{"a":1}')
    assert page["genuine"](secret, headers, b'{"a":1}', 1000)
    assert not page["genuine"](secret, headers, b'{"a":2}', 1000)
    assert not page["genuine"](secret, headers, b'{"a":1}', 1000 + TOLERANCE + 1)
