"""A MariaDB server of its own for a test session, from Debian's binaries: reached through a socket, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql
import pytest

LACKING = (
    "没有 MariaDB：请以 root 运行 tests/system/install.sh（Debian 的软件包 mariadb-server-core 和 mariadb-client-core）"
)


class Mariadb:
    """One server in a folder of its own; fails the test where none is installed."""

    def __init__(self) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin"
        install, server = (shutil.which(name, path=path) for name in ("mariadb-install-db", "mariadbd"))
        if install is None or server is None:
            pytest.fail(LACKING, pytrace=False)
        self._server = server
        self._folder = Path(tempfile.mkdtemp(prefix="jiesu-my-"))  # short: a socket's path has 107 bytes at most
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        options = [f"--datadir={self._folder / 'data'}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        command = [install, "--no-defaults", *self._user, *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def _user(self) -> list[str]:
        """It runs as root only where it is told to."""
        return ["--user=root"] if os.geteuid() == 0 else []

    @property
    def socket(self) -> str:
        return str(self._folder / "socket")

    def url(self, database: str, user: str = "root", password: str = "") -> str:
        """The address of a database, as people write it."""
        login = f"{user}:{password}" if password else user
        return f"mysql://{login}@localhost/{database}?unix_socket={self.socket}"

    def create(self) -> str:
        """A new empty database; its name."""
        self._made += 1
        self.tell(f"CREATE DATABASE test{self._made} CHARACTER SET utf8mb4")
        return f"test{self._made}"

    def start(self, *, wait: float = 60) -> None:
        """Start the server; back when it lets people in."""
        options = [f"--datadir={self._folder / 'data'}", f"--socket={self.socket}", "--skip-networking"]
        options += [f"--pid-file={self._folder / 'pid'}", "--innodb-buffer-pool-size=16M"]
        with (self._folder / "log").open("ab") as log:
            command = [self._server, "--no-defaults", *self._user, *options]
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        until = time.monotonic() + wait
        while "ready for connections" not in self._log:
            if self._process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"MariaDB did not start:\n{self._log[-2000:]}", pytrace=False)
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)  # at once: nobody needs what is in it any more
            self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell(self, *statements: str) -> None:
        """Run statements as root."""
        connection = pymysql.connect(unix_socket=self.socket, user="root", autocommit=True)
        try:
            for statement in statements:
                connection.cursor().execute(statement)
        finally:
            connection.close()

    @property
    def _log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")
