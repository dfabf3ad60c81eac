"""Targets: who is told of events, and which hosts may be reached, from a TOML file that is checked on load."""

from __future__ import annotations

import os
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import httpx

from nlp.checked import STRICT, place_of, read_checked
from nlp.errors import RefusedData
from serving.events.kinds import EVERY, KINDS
from serving.events.reach import Reach, host_of, is_number
from serving.events.signature import key_of

SOURCE = "/jiesu"  # a URI reference, which is what CloudEvents asks of a source


@dataclass(frozen=True, kw_only=True)
class Target:
    """Who is told: a URL, the secret that signs (or the name of the variable that holds it), and the kinds wanted.

    ca: a PEM file with the certificates of the authorities to be trusted, instead of the system's.
    """

    __pydantic_config__ = STRICT

    name: str
    url: str
    secret: str = field(default="", repr=False)
    secret_env: str = ""
    types: tuple[str, ...]
    ca: Path | None = None

    def wants(self, kind: str) -> bool:
        """Whether it is to be told of a kind of event."""
        return kind in self.types or EVERY in self.types

    @cached_property
    def address(self) -> httpx.URL:
        """The URL, as the client that will use it reads it; raises `httpx.InvalidURL`."""
        return httpx.URL(self.url)

    @cached_property
    def key(self) -> bytes:
        """What signs; raises `ValueError` for a secret that is none."""
        if bool(self.secret) == bool(self.secret_env):
            raise ValueError("secret 与 secret_env 须写一个，且只写一个")
        return key_of(self.secret or os.environ.get(self.secret_env, ""))

    def trust(self) -> ssl.SSLContext:
        """How its certificate is checked; raises `OSError` for a file that holds no certificates."""
        return ssl.create_default_context(cafile=self.ca)

    def beside(self, path: Path) -> Target:
        """The target with its `ca` taken from the folder of the file that names it."""
        return replace(self, ca=path.parent / self.ca) if self.ca else self


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The file: the hosts and networks that may be reached, the `source` of all events, and the targets."""

    __pydantic_config__ = STRICT

    allow: tuple[str, ...] = ()
    source: str = SOURCE
    target: tuple[Target, ...] = ()

    @classmethod
    def read(cls, path: Path | None) -> Targets:
        """Read and check a file, without one there are no targets; raises `RefusedData` with file, line and reason."""
        if path is None:
            return cls()
        targets = read_checked(path, cls)
        targets = replace(targets, target=tuple(target.beside(path) for target in targets.target))
        for location, reason in targets._faults():
            raise RefusedData(file=place_of(path, location), reason=reason)
        return targets

    @cached_property
    def reach(self) -> Reach:
        """Which addresses may be reached."""
        return Reach.of(self.allow)

    def named(self, name: str) -> Target | None:
        """The target with a name."""
        return next((target for target in self.target if target.name == name), None)

    def _faults(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What is wrong with the file, where it stands, the first thing first."""
        try:
            _ = self.reach
        except ValueError as error:
            yield ("allow",), f"allow：{error}"
            return
        names = Counter(target.name for target in self.target)
        for number, target in enumerate(self.target):
            for key, reason in _faults(target, self.reach):
                yield ("target", number, key), f"目标“{target.name}”的 {key}：{reason}"
            if names[target.name] > 1:
                yield ("target", number, "name"), f"有两个目标都叫“{target.name}”"


def _faults(target: Target, reach: Reach) -> Iterator[tuple[str, str]]:
    """What is wrong with a target: the field, and the reason."""
    if not target.name.strip():
        yield "name", "不能为空"
    unknown = [kind for kind in target.types if kind not in (*KINDS, EVERY)]
    if unknown or not target.types:
        yield "types", f"没有“{'、'.join(unknown)}”这种事件，可用：{'、'.join((*KINDS, EVERY))}"
    fault = _url_fault(target, reach)
    if fault:
        yield "url", fault
    try:
        _ = target.key
    except ValueError as error:
        yield "secret_env" if target.secret_env else "secret", str(error)
    try:
        target.trust()
    except OSError as error:  # of which `ssl.SSLError` is one
        yield "ca", f"不是可用的 PEM 文件（{error.strerror or type(error).__name__}）"


def _url_fault(target: Target, reach: Reach) -> str:
    try:
        url = target.address
    except (httpx.InvalidURL, UnicodeError) as error:
        return f"不是网址（{error}）"
    host = host_of(url)
    if url.scheme not in {"http", "https"} or not host:
        return "须以 http:// 或 https:// 开头，带主机名"
    if url.userinfo or url.fragment:
        return "不能带用户名、口令和 #"
    if url.port is not None and not 0 < url.port < 65536:
        return "端口须在 1–65535 之间"
    if is_number(host):
        return f"“{host}”是换了写法的 IP 地址，请写成四段十进制"
    return "" if reach.knows(host) else f"allow 里没有“{host}”"
