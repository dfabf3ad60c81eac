"""An office under test: the service in processes of its own, clients that never give up, what they were promised."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
TEXTS = ("小区门口的路灯不亮", "楼上卫生间漏水到我家，物业不管", "工地半夜还在打桩，孩子睡不着", "垃圾桶满了没有人倒")
KEPT = """
import json, sys
from sqlalchemy import select
from serving.store.engine import open_engine, reading
from serving.store.tables import decisions, feedback
with reading(open_engine(sys.argv[1])) as connection:
    print(json.dumps({
        "decisions": [list(row) for row in connection.execute(select(decisions.c.petition, decisions.c.id))],
        "feedback": list(connection.execute(select(feedback.c.id)).scalars()),
    }))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Office:
    """`jiesu serve` with two workers. before: what the command is put behind, like `unshare`; more: variables.

    insecure: whether it asks for no key.
    """

    def __init__(
        self, home: Path, store: str = "", before: Sequence[str] = (), *, insecure: bool = True, **more: str
    ) -> None:
        self.home = home
        self.store = store or f"sqlite:///{home / 'store.db'}"
        self.port = free_port()
        self._before = before
        self._open = ["--insecure"] if insecure else []
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("JIESU_")} | {
            "JIESU_HOME": str(home), "JIESU_STORE": self.store, "JIESU_RULES_EVERY": "0.25", "JIESU_WORKERS": "2",
            "JIESU_SECRET": "s" * 32, "PYTHONPATH": str(ROOT), **more,
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        log = self.home.parent / f"{self.home.name}.log"
        command = [sys.executable, "-m", "jiesu", "serve", *self._open, "--port", str(self.port)]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*self._before, *command],
                cwd=ROOT,
                env=self._environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.wait(180)

    def wait(self, seconds: float) -> float:
        """Until a decision is answered; how long that took."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            with suppress(httpx.TransportError):
                if self.ask("up").status_code in {200, 401}:
                    return time.monotonic() - begun
            time.sleep(0.1)
        raise AssertionError(f"没有在 {seconds} 秒内恢复：\n{self.log[-3000:]}")

    @property
    def log(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text(encoding="utf-8", errors="replace")

    def ask(self, name: str) -> httpx.Response:
        body = {"petitions": [{"id": name, "text": TEXTS[hash(name) % len(TEXTS)]}]}
        return httpx.post(f"{self.url}/v1/decisions", json=body, headers={"idempotency-key": name}, timeout=20)

    def __enter__(self) -> Office:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """As systemd stops it: asked first, then not asked."""
        assert self._process is not None
        os.kill(self.pid, signal.SIGTERM)
        try:
            self._process.wait(40)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(10)

    @property
    def workers(self) -> list[int]:
        """The processes that answer: the children of the one that watches over them, the resource tracker left out."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                if parent == self.pid and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
                    found.append(int(stat.parent.name))
        return sorted(found)

    def run(self, *words: str, within: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Python with these words, in the same surroundings."""
        command = [*within, sys.executable, *words]
        return subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)

    def kept(self, within: Sequence[str] = ()) -> dict[str, Any]:
        """What the store holds: (petition, decision) of all decisions, and the ids of all feedback."""
        told = self.run("-c", KEPT, self.store, within=within)
        assert told.returncode == 0, told.stderr[-2000:]
        found: dict[str, Any] = json.loads(told.stdout)
        return found

    def verified(self, within: Sequence[str] = ()) -> None:
        told = self.run("-m", "jiesu", "audit", "verify", within=within)
        assert told.returncode == 0, told.stdout + told.stderr


class Clients:
    """Threads that ask again and again, each petition under a key of its own until it is answered.

    promised: petition → decision, of every answer. said: the ids of all feedback that was taken. refused: how often
    somebody was told to come again, or told nothing.
    """

    def __init__(self, office: Office, name: str, count: int = 6) -> None:
        self.promised: dict[str, str] = {}
        self.said: list[str] = []
        self.refused = 0
        self.wrong: list[str] = []
        self._office = office
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(f"{name}-{number}",)) for number in range(count)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, name: str) -> None:
        number = 0
        with httpx.Client(base_url=self._office.url, timeout=20) as client:
            while not self._over.is_set():
                number += 1
                self._asked(client, f"{name}-{number}")

    def _asked(self, client: httpx.Client, name: str) -> None:
        body = {"petitions": [{"id": name, "text": TEXTS[hash(name) % len(TEXTS)]}]}
        decision = self._insist(client, "/v1/decisions", body, name)
        if decision:
            self.promised[name] = decision["decisions"][0]["decision_id"]
            given = {"decision_id": self.promised[name], "verdict": "accepted", "operator": name}
            kept = self._insist(client, "/v1/feedback", given, f"f-{name}")
            if kept:
                self.said.append(kept["feedback_id"])

    def _insist(self, client: httpx.Client, path: str, body: dict[str, Any], key: str) -> Any:
        """The answer; nothing when time is up before there is one."""
        while not self._over.is_set():
            try:
                reply = client.post(path, json=body, headers={"idempotency-key": key})
            except httpx.TransportError:
                self.refused += 1
                time.sleep(0.05)
                continue
            if reply.status_code == 200:
                return reply.json()
            if reply.status_code not in {409, 429, 503}:
                self.wrong.append(f"{reply.status_code} {reply.text[:200]}")
            self.refused += 1
            time.sleep(0.05)
        return None


@contextmanager
def faulted(office: Office, name: str, within: Sequence[str] = (), recovery: float = 60) -> Iterator[Clients]:
    """Load, a fault in the body, recovery; then: all that was promised is there, once, and the chain verifies."""
    with Clients(office, name) as clients:
        time.sleep(1.0)
        yield clients
        office.wait(recovery)
        time.sleep(1.0)
    assert clients.promised, "nobody was answered"
    assert not clients.wrong, clients.wrong[:3]
    kept = office.kept(within)
    mine = [(petition, decision) for petition, decision in kept["decisions"] if petition.startswith(f"{name}-")]
    found = dict(mine)
    assert len(found) == len(mine), "a petition was decided twice"
    lost = {petition for petition, decision in clients.promised.items() if found.get(petition) != decision}
    assert not lost, f"{len(lost)} answers are not on disk"
    assert len(kept["feedback"]) == len(set(kept["feedback"]))
    assert set(clients.said) <= set(kept["feedback"]), "feedback is not on disk"
    office.verified(within)
