"""docs/integrate.md as it stands: its blocks run in order in one shell, and what they answer is what the page shows."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "integrate.md"
SECONDS = 600  # ten minutes, as the page promises
END = "=== end of block ==="
VARYING = re.compile(r"(_id|_at|^due|^model|^confidence|^alternatives|^settled.*)$")
"""Fields whose values are of another time, another number or another model."""


@dataclass(frozen=True)
class Block:
    """A block of the page, and the answer shown after it, if one is."""

    command: str
    answer: Any = None


def blocks() -> list[Block]:
    found = re.findall(r"^```(bash|json)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    made: list[Block] = []
    for kind, content in found:
        if kind == "bash":
            made.append(Block(content))
        else:
            assert made[-1].answer is None
            made[-1] = Block(made[-1].command, json.loads(content))
    return made


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What each block wrote to stdout, run as by somebody who copies the page from top to bottom."""
    folder = tmp_path_factory.mktemp("hotline")
    program = folder / ".venv" / "bin" / "jiesu"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m jiesu "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    make, *rest = blocks()
    assert make.command == "make setup\n"  # tests/system/test_checkout.py runs it in a bare checkout
    script = "".join(f"{block.command}\necho '{END}'\n" for block in rest)
    for port in ("8000", "9000"):
        script = re.sub(rf"\b{port}\b", str(free_port()), script)
    own = {key: value for key, value in os.environ.items() if not key.startswith("JIESU_")}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=own | {"JIESU_HOME": str(folder / "home")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, f"{out[-2000:]}\n{err[-2000:]}"
        yield ["", *out.split(END)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)


def agrees(shown: Any, real: Any, name: str = "") -> bool:
    """Whether two answers have the same fields, and the same values where these do not vary."""
    if isinstance(shown, str) and shown.startswith("…"):  # the page says that it is like another one
        return isinstance(real, dict)
    if VARYING.search(name):
        return type(shown) is type(real) or shown is None or real is None
    if isinstance(shown, dict) and isinstance(real, dict):
        return shown.keys() == real.keys() and all(agrees(shown[key], real[key], key) for key in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(agrees, shown, real, [name] * len(shown)))
    return bool(shown == real)


SHOWN = [place for place, block in enumerate(blocks()) if block.answer is not None]


def answer_of(printed: str) -> Any:
    """The JSON that a block answered, below whatever a service in the background said."""
    lines = [line for line in printed.strip().splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


@pytest.mark.parametrize("place", SHOWN)
def test_the_answer_shown_is_the_real_one(printed: list[str], place: int) -> None:
    shown, real = blocks()[place].answer, answer_of(printed[place])
    assert agrees(shown, real), json.dumps(real, ensure_ascii=False)


def test_a_request_sent_twice_is_answered_once_and_an_emergency_is_told_of(printed: list[str]) -> None:
    everything = "".join(printed)
    assert "同一个答复" in everything
    assert "cn.jiesu.decision.redline" in everything


def test_the_page_shows_an_answer_to_every_kind_of_request() -> None:
    shown = [block.command for block in blocks() if block.answer]
    for path in ("/v1/decisions", "/v1/feedback", "/v1/outcomes", "/v1/calls/", "/readyz"):
        assert any(path in command for command in shown)
