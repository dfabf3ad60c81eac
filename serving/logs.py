"""Logs: one JSON object a line, events with fields, never the text of a petition."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
# What every record says that a request causes: its id, and the trace it belongs to; set by serving/door/identity.py.
CONTEXT: ContextVar[Mapping[str, str]] = ContextVar("request", default={})  # noqa: B039 - never changed


class RequestFilter(logging.Filter):
    """Puts the fields of the request that is being handled into each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add them; every record passes."""
        vars(record).update(CONTEXT.get())
        return True


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, event, and the fields given as `extra`."""
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in USUAL},
        }
        if record.exc_info:
            event |= where(record.exc_info[1])
        return orjson.dumps(event, default=str).decode()


def where(error: BaseException | None) -> dict[str, Any]:
    """The kind of an error and the lines it came through; never its message, which may quote a petition."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return {"error": type(error).__name__, "trace": [f"{f.filename}:{f.lineno} {f.name}" for f in frames]}


def start_logging(level: str) -> None:
    """Send all logs to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RequestFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
