"""Running: one process that serves, or several behind one listening socket, replaced when they die."""

from __future__ import annotations

import os
import socket
import sys
import tempfile

import uvicorn
from uvicorn.supervisors import Multiprocess

from nlp.decider import Decider
from serving.app import create_app
from serving.batches.keeper import keeping
from serving.door.doors import protocol_of
from serving.logs import start_logging
from serving.memory import settle
from serving.metrics import SHARED
from serving.settings import Settings

SWITCH = 0.0005  # seconds: the journal's thread lets go of the interpreter at every statement, and wants it back soon
GRACE = 20  # seconds in which requests at work are finished after a stop was asked for
SILENCE = 60  # seconds without a sign of life after which a worker is replaced; one may need ten to start
MESSAGE = 65_536  # bytes of one message of a WebSocket


class Worker(uvicorn.Config):
    """How a process serves; it builds its parts when it is about to serve, in the process that does.

    decider: one that is built already, where this very process is to serve.
    """

    def __init__(self, settings: Settings, decider: Decider | None = None) -> None:
        super().__init__(
            "", workers=settings.workers, access_log=False, log_config=None, server_header=False,
            timeout_graceful_shutdown=GRACE, timeout_worker_healthcheck=SILENCE, ws_max_size=MESSAGE,
        )  # fmt: skip
        self._settings = settings
        self._decider = decider

    def load(self) -> None:
        """Build the app and the protocol."""
        start_logging(self._settings.log_level)
        app = create_app(self._settings, self._decider)
        settle()
        sys.setswitchinterval(SWITCH)
        self.app, self.http = app, protocol_of(self._settings, app.state.service.metrics)
        super().load()


def serve(settings: Settings, decider: Decider, listener: socket.socket) -> None:
    """Serve until told to stop. With several workers each builds its own parts, and one that dies is replaced."""
    if settings.workers == 1:
        with keeping(settings):
            uvicorn.Server(Worker(settings, decider)).run(sockets=[listener])
        return
    create_app(settings, decider).state.service.journal.close()  # what is wrong is told now, not by workers that die
    start_logging(settings.log_level)
    with tempfile.TemporaryDirectory(prefix="jiesu-figures-") as folder, keeping(settings):
        os.environ[SHARED] = folder  # prometheus_client looks for it when the workers import it
        Multiprocess(Worker(settings), sockets=[listener]).run()
