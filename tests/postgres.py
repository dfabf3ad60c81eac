"""A PostgreSQL cluster of its own for a test session, from Debian's binaries: started, killed, started again, gone."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

OWNER = "postgres"  # the server refuses to run as root
LACKING = "没有 PostgreSQL：请以 root 运行 tests/system/install.sh（Debian 的软件包 postgresql）"
SETTINGS = {
    "listen_addresses": "",  # its socket alone: no port to fight over
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "log_min_messages": "warning",
}


def binaries() -> Path | None:
    """The folder of the latest PostgreSQL's programs, or nothing."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    return max(found, key=lambda folder: folder.parent.name.isdigit() and int(folder.parent.name), default=None)


class Postgres:
    """One cluster in a folder of its own, reached through a socket there; fails the test where none is installed."""

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            pytest.fail(LACKING, pytrace=False)
        self.bin = found
        self.folder = Path(tempfile.mkdtemp(prefix="jiesu-pg-"))  # short: a socket's path has 107 bytes at most
        self._data = self.folder / "data"
        self._as = _unprivileged(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        command = [self.bin / "initdb", "-D", self._data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([*command, "--no-sync"], check=True, cwd="/", stdout=subprocess.DEVNULL, **self._as)

    def url(self, database: str = "postgres") -> str:
        """The address of a database, for `open_engine`."""
        return f"postgresql+psycopg://{OWNER}@/{database}?host={self.folder}"

    def create(self, name: str = "") -> str:
        """A new empty database, under a name of its own where none is given; its address."""
        self._made += 1
        name = name or f"test{self._made}"
        self._tell(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected to it."""
        self._tell(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @property
    def pid(self) -> int:
        """The server's process (the postmaster)."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, *, wait: float = 60) -> None:
        """Start the server, or start it again; back when it lets people in, which after a kill means recovered."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            command = [self.bin / "postgres", "-D", self._data, *options]
            self._process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stderr=log, **self._as)
        until = time.monotonic() + wait
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PostgreSQL did not start:\n{self.log[-2000:]}", pytrace=False)
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to the server and every process of it, as when the machine loses its power; what is on disk stays."""
        assert self._process is not None, "not started"
        children = _children(self.pid)
        for pid in (self.pid, *children):
            _kill(pid)
        self._process.wait()
        until = time.monotonic() + 10
        while any(_is_alive(pid) for pid in children):  # a new server refuses to start beside an old process
            assert time.monotonic() < until, "a process of PostgreSQL outlived SIGKILL"
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nobody needs what is in it any more
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What the server has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        try:
            self._tell("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _tell(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user=OWNER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to run the programs: as the user `postgres` where we are root, who is handed the folder."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(OWNER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _children(parent: int) -> list[int]:
    """The processes that a process has started."""
    stats = [_stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid, _, of in filter(None, stats) if of == parent]


def _is_alive(pid: int) -> bool:
    found = _stat(pid)
    return found is not None and found[1] != "Z"


def _stat(pid: int) -> tuple[int, str, int] | None:
    """A process, its state, and who started it (proc(5)); nothing where it is gone."""
    try:
        written = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = written.rpartition(")")[2].split()[:2]
    return pid, state, int(parent)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
