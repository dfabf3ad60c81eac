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
from nlp.dispatch import Asked, Codes, Dispatched, Dispatcher
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.reader import Reader, Reading
from nlp.redline import RedLine, RedLines
from nlp.taxonomy import TASKS, Taxonomy
from serving.schema import PetitionIn, path_of
from serving.settings import Settings
from serving.stream import BOM, CHUNK


@dataclass(frozen=True)
class Line:
    """What a line holds: a petition, the codes of its matters where it has them, the next likely categories."""

    petition: Petition
    codes: tuple[Codes, ...] = ()
    others: tuple[str, ...] = ()


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

    def __init__(
        self, source: str, settings: Settings, taxonomy: Taxonomy, decider: Callable[[], Decider],
        reader: Reader | None = None, redlines: RedLines | None = None,
    ) -> None:  # fmt: skip
        self._source = source
        self._settings = settings
        self._known = {task: frozenset(taxonomy.codes(task)) for task in TASKS}
        self._decider = decider
        self._reader = reader or Reader()
        self._redlines = redlines or RedLines()

    def read(self, lines: Iterable[bytes]) -> Iterator[Cases]:
        """The cases of all lines, in parts; raises `InputError` for a line that cannot be read."""
        rows = (self._row(number, line) for number, line in enumerate(lines, 1) if line.strip())
        while part := list(islice(rows, CHUNK)):
            yield self._cases(part)

    def _row(self, number: int, line: bytes) -> Line:
        place = f"{self._source} 第 {number} 行"
        try:
            data = orjson.loads(line.removeprefix(BOM))
            if not isinstance(data, dict):
                raise InputError(place=place, reason="不是 JSON 对象")
            read = self._decision(data) if "decision_id" in data else self._petition(data)
            self._check(place, read)
            return read
        except orjson.JSONDecodeError as error:
            raise InputError(place=place, reason="不是 JSON") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InputError(place=f"{place}，{path_of(first['loc'])}", reason=first["msg"]) from error
        except (KeyError, TypeError) as error:
            raise InputError(place=place, reason=f"不是 decide 给出的决定：{error}") from error

    def _check(self, place: str, line: Line) -> None:
        for codes in line.codes:
            for task, code in zip(TASKS, codes, strict=True):
                if code not in self._known[task]:
                    raise InputError(place=f"{place}，{task}", reason=f"分类体系里没有 {code}")

    def _petition(self, data: dict[str, Any]) -> Line:
        petition = PetitionIn.model_validate(data).petition(self._settings.zone)
        if not all(isinstance(data.get(task), str) for task in TASKS):
            return Line(petition)
        category, tier, clock, kind = (data[task] for task in TASKS)
        return Line(petition, ((category, tier, clock, kind),))

    def _decision(self, data: dict[str, Any]) -> Line:
        fields = {
            "id": data["id"], "text": data["masked_text"], "title": data["masked_title"],
            "received_at": data.get("received_at") or data["decided_at"],
        }  # fmt: skip
        petition = PetitionIn.model_validate(fields).petition(self._settings.zone)
        kind = str(data["type"]["code"])
        codes = tuple(
            (str(matter["category"]), str(matter["tier"]), str(matter["clock"]), kind) for matter in data["matters"]
        )
        return Line(petition, codes, tuple(str(choice["code"]) for choice in data["category"]["alternatives"]))

    def _cases(self, lines: list[Line]) -> Cases:
        petitions = [line.petition for line in lines]
        reading = self._reader.read(petitions)
        redlines, bounds = self._redlines.find(reading.texts), reading.texts.bounds.tolist()
        decided = [] if all(line.codes for line in lines) else self._decider().asked(reading)
        spans = zip(bounds[1::2], bounds[2::2], strict=True)
        asked = [
            _known(line, redlines.get(row), start, end - 1) if line.codes else decided[row]
            for row, (line, (start, end)) in enumerate(zip(lines, spans, strict=True))
        ]
        return Cases(petitions, reading, asked)


def _known(line: Line, redline: RedLine | None, start: int, end: int) -> Asked:
    """What a line with codes asks for; where its matters stood in the text sent is not known any more."""
    several = [(codes, start, end) for codes in line.codes] if len(line.codes) > 1 and end > start else ()
    return Asked(line.codes[0], redline, several, line.others)
