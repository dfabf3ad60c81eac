"""Signatures of webhooks, as Standard Webhooks has them (standardwebhooks.com, specification 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from nlp.errors import InputError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
LENGTHS = range(24, 65)  # bytes that a key may have
TIME = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300  # seconds between the sender's clock and the receiver's


class BadSignature(InputError):
    """通知的签名不对：{reason}"""


def key_of(secret: str) -> bytes:
    """The key in a written secret, `whsec_` and base64 of 24 to 64 bytes; raises `ValueError`."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"须以 {PREFIX} 开头")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"{PREFIX} 后面须是 base64") from error
    if len(key) not in LENGTHS:
        raise ValueError(f"密钥须有 {LENGTHS[0]}–{LENGTHS[-1]} 个字节，现有 {len(key)} 个")
    return key


def signed(key: bytes, id: str, at: int, body: bytes) -> dict[str, str]:  # noqa: A002 - the standard's name
    """The headers of a message; `at` is the time of this attempt, in seconds since 1970."""
    return {ID: id, TIMESTAMP: str(at), SIGNATURE: f"v1,{_digest(key, id, str(at), body)}"}


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise `BadSignature` unless one of the signatures is of this message and its time is at most 5 minutes away.

    headers: names in any case. body: the bytes as they came. now: seconds since 1970.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, at, signatures = given[ID], given[TIMESTAMP], given[SIGNATURE]  # noqa: A001
    except KeyError as error:
        raise BadSignature(reason=f"没有 {error.args[0]} 这个头") from error
    if not TIME.fullmatch(at) or abs(now - int(at)) > TOLERANCE:
        raise BadSignature(reason=f"时间与本机相差超过 {TOLERANCE // 60} 分钟")
    wanted = f"v1,{_digest(key, id, at, body)}".encode()
    if not any(hmac.compare_digest(wanted, one.encode()) for one in signatures.split(" ")):
        raise BadSignature(reason="与内容不符")


def _digest(key: bytes, id: str, at: str, body: bytes) -> str:  # noqa: A002
    """HMAC-SHA-256 of `id.timestamp.body`, in base64."""
    message = b".".join((id.encode(), at.encode(), body))
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
