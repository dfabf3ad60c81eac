"""Cases: petitions of a file with their codes — decided by the model, or read where the file holds them already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from pydantic import ValidationError

from nlp.decider import Decider
from nlp.dispatch import Asked, Dispatched, Dispatcher
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.reader import Reader, Reading
from nlp.redline import RedLines
from nlp.taxonomy import TASKS
from serving.problems import path_of
from serving.schema import PetitionIn
from serving.settings import Settings

CHUNK = 1024
Row = tuple[Petition, dict[str, str], tuple[str, ...]]
"""A petition, its codes by task where its line holds them, and the next likely categories."""


@dataclass(frozen=True)
class Cases:
    """Some petitions, read, with what is to be dispatched of each."""

    petitions: list[Petition]
    reading: Reading
    asked: list[Asked]

    def dispatch(self, dispatcher: Dispatcher, profile: str, now: datetime) -> list[Dispatched]:
        """Their places and routed matters under the rules of a dispatcher."""
        return dispatcher.dispatch(self.petitions, self.reading, self.asked, profile, now)


class CaseReader:
    """Reads JSONL: petitions, petitions with the four codes, or decisions that `jiesu decide` gave.

    A model is opened only where a line has no codes of its own.
    """

    def __init__(self, source: str, settings: Settings, decider: Callable[[], Decider]) -> None:
        self._source = source
        self._settings = settings
        self._decider = decider
        self._reader = Reader()
        self._redlines = RedLines()

    def read(self, lines: Iterable[bytes]) -> Iterator[Cases]:
        """The cases of all lines, in parts; raises `InputError` for a line that cannot be read."""
        rows = (self._row(number, line) for number, line in enumerate(lines, 1) if line.strip())
        while part := list(islice(rows, CHUNK)):
            yield self._cases(part)

    def _row(self, number: int, line: bytes) -> Row:
        try:
            data = orjson.loads(line)
            if not isinstance(data, dict):
                raise InputError(place=f"{self._source} 第 {number} 行", reason="不是 JSON 对象")
            return self._petition(data), self._codes(data), self._others(data)
        except orjson.JSONDecodeError as error:
            raise InputError(place=f"{self._source} 第 {number} 行", reason="不是 JSON") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = f"{self._source} 第 {number} 行，{path_of(first['loc'])}"
            raise InputError(place=place, reason=first["msg"]) from error

    def _petition(self, data: dict[str, Any]) -> Petition:
        if "decision_id" in data:
            data = {
                "id": data.get("id"), "text": data.get("masked_text"), "title": data.get("masked_title"),
                "received_at": data.get("decided_at"),
            }  # fmt: skip
        return PetitionIn.model_validate(data).petition(self._settings.zone)

    @staticmethod
    def _others(data: dict[str, Any]) -> tuple[str, ...]:
        """The next likely categories that a decision holds."""
        category = data.get("category")
        return tuple(choice["code"] for choice in category["alternatives"]) if isinstance(category, dict) else ()

    @staticmethod
    def _codes(data: dict[str, Any]) -> dict[str, str]:
        """The codes of a line by task; a decision holds them inside its answers."""
        held = {task: data[task] for task in TASKS if task in data}
        return {task: str(code["code"] if isinstance(code, dict) else code) for task, code in held.items()}

    def _cases(self, rows: list[Row]) -> Cases:
        petitions = [petition for petition, _, _ in rows]
        reading = self._reader.read(petitions)
        if all(len(codes) == len(TASKS) for _, codes, _ in rows):
            redlines = self._redlines.find(reading.texts)
            asked = [
                Asked((codes["category"], codes["tier"], codes["clock"], codes["type"]), redlines.get(row), (), others)
                for row, (_, codes, others) in enumerate(rows)
            ]
        else:
            asked = self._decider().asked(reading)
        return Cases(petitions, reading, asked)
