"""Apps: who may send signed forms, from a TOML file, and how a form is signed."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field

from nlp.checked import STRICT, read_checked
from nlp.errors import RefusedData
from serving.access.limits import parsed
from serving.access.scope import Scope
from serving.access.who import Who

CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
LEAST = 32  # characters of a secret
METHODS = {name: digest for name, digest in (("hmac-sha256", "sha256"), ("sm3", "sm3"))
           if digest in hashlib.algorithms_available}  # fmt: skip
"""`sign_method` → the digest of its HMAC (RFC 2104); SM3 (GB/T 32905) where OpenSSL here has it."""
SIGN = "sign"
NOBODY = "\0" * LEAST  # the secret against which an unknown app's form is checked: as long a way to the same refusal


def _code(code: str) -> str:
    if not CODE.fullmatch(code):
        raise ValueError("只许 1–40 个字母、数字、下划线、点、减号")
    return code


def _good(scope: Scope) -> Scope:
    if not scope.covers(Scope.operator):
        raise ValueError("签名表单要 operator、batch 或 admin")
    return scope


@dataclass(frozen=True)
class App:
    """One system. key: the name under which it stands in audit and figures, its code where none is given."""

    __pydantic_config__ = STRICT
    code: Annotated[str, AfterValidator(_code)]
    secret: Annotated[str, Field(min_length=LEAST)] = field(repr=False)
    key: Annotated[str, Field(max_length=100)] = ""
    scope: Annotated[Scope, AfterValidator(_good)] = Scope.operator
    rate: Annotated[str, Field(max_length=64)] = ""

    @property
    def who(self) -> Who:
        """The app as whoever asks."""
        return Who(f"signed:{self.code}", self.key or self.code, self.scope, self.rate)


@dataclass(frozen=True)
class Apps:
    """All of them, as the file has them: one `[[app]]` each."""

    __pydantic_config__ = STRICT
    app: tuple[App, ...] = ()

    @classmethod
    def read(cls, path: Path | None) -> Apps:
        """The apps of a file, or none; raises `RefusedData` with file, line and reason, `InputError` for a rate."""
        if path is None:
            return cls()
        apps = read_checked(path, cls)
        for app in apps.app:
            parsed(app.rate)
        codes = [app.code for app in apps.app]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        if twice:
            raise RefusedData(file=path, reason=f"code 重复：{twice}")
        return apps

    def signer(self, code: str, sign: str, method: str, fields: Mapping[str, str]) -> App | None:
        """The app that signed a form, if it is one of these; compared in constant time, known or not."""
        app = next((app for app in self.app if app.code == code), None)
        expected = signature(fields, app.secret if app else NOBODY, method)
        same = hmac.compare_digest(expected.encode(), sign.lower().encode())
        return app if same else None


def signature(fields: Mapping[str, str], secret: str, method: str = "hmac-sha256") -> str:
    """The signature of a form in hex: HMAC over `k=v&…` of all fields but `sign`, sorted by name.

    Names and values are percent-encoded (RFC 3986, UTF-8): a `&` or `=` in one field never passes for a border.
    """
    pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in fields.items() if name != SIGN)
    text = "&".join(f"{name}={value}" for name, value in pairs)
    return hmac.digest(secret.encode(), text.encode(), METHODS[method]).hex()
