"""Pages: the requests that a page shows with curl, and the answers that it says they get."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi.testclient import TestClient
from httpx2 import Response

DOCS = Path(__file__).parents[3] / "docs" / "adapters"
SHOWN = re.compile(r"^```bash\n(curl .*?)^```\n+```json\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """A request that a page shows, and its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    answer: Any

    def asked(self, client: TestClient, **headers: str) -> Response:
        """What a service answers to it."""
        return client.request(self.method, self.path, headers=self.headers | headers, content=self.body.encode())


def shown(name: str) -> list[Shown]:
    """Every request of a page that is followed by its answer."""
    found = SHOWN.findall((DOCS / name).read_text(encoding="utf-8"))
    return [_read(command, json.loads(answer)) for command, answer in found]


def _read(command: str, answer: Any) -> Shown:
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, url, headers, body = "GET", "", {}, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(":")
            headers[name.strip().lower()] = value.strip()
        elif word == "-d":
            method, body = "POST", next(words)
        elif not word.startswith("-"):
            url = word
    split = urlsplit(url)
    return Shown(method, split.path + (f"?{split.query}" if split.query else ""), headers, body, answer)


def form(value: Any) -> Any:
    """The fields and types of an answer, whatever its values; of a list the first item stands for all."""
    if isinstance(value, dict):
        return {name: form(each) for name, each in value.items()}
    if isinstance(value, list):
        return [form(each) for each in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def alike(one: Any, other: Any) -> bool:
    """Whether two answers have the same fields and types; of lists the first items are compared, if both have one."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return all(alike(first, second) for first, second in zip(one[:1], other[:1], strict=False))
    return bool(form(one) == form(other))
