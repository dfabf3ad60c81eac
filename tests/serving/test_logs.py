"""Logs are events: one JSON object a line, with fields."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from serving.logs import JsonFormatter, start_logging


@pytest.fixture
def untouched() -> Iterator[None]:
    """The root logger as it was, after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def event(**fields: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "jiesu", "levelname": "INFO", "msg": "started", **fields})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told: dict[str, Any] = json.loads(line)
    return told


def test_an_event_has_time_level_logger_and_name() -> None:
    told = event(created=1_750_000_000.125)
    assert told == {"time": "2025-06-15T15:06:40.125+00:00", "level": "INFO", "logger": "jiesu", "event": "started"}
    assert datetime.fromisoformat(told["time"]).tzinfo


def test_arguments_are_put_into_the_event() -> None:
    assert event(msg="%d decisions", args=(3,))["event"] == "3 decisions"


def test_extra_fields_are_kept_and_odd_values_written_as_text() -> None:
    told = event(count=3, where={"a": [1]}, what=ValueError("x"), path="换行\n在此")
    assert told["count"] == 3
    assert told["where"] == {"a": [1]}
    assert told["what"] == "x"
    assert told["path"] == "换行\n在此"


def test_an_error_is_its_kind_and_where_it_came_from_but_not_its_message() -> None:
    try:
        {}["我叫欧阳建华"]
    except KeyError:
        told = event(exc_info=sys.exc_info())
    assert told["error"] == "KeyError"
    assert "test_logs.py" in told["trace"][-1]
    assert "欧阳" not in json.dumps(told, ensure_ascii=False)


@pytest.mark.usefixtures("untouched")
def test_started_logging_writes_json_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("WARNING")
    logging.getLogger("jiesu").info("too quiet")
    logging.getLogger("uvicorn.error").warning("loud", extra={"port": 8000})
    out, err = capsys.readouterr()
    assert not out
    told = json.loads(err)
    assert told["event"] == "loud"
    assert told["port"] == 8000
