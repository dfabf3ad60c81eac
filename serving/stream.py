"""A stream of petitions: JSONL in, decisions out in the same order, bad lines named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import islice

import orjson
from pydantic import ValidationError

from nlp.decider import Decider, Options
from nlp.petition import Petition
from serving.schema import PetitionIn, path_of

CHUNK = 1024
BOM = b"\xef\xbb\xbf"


@dataclass
class Stream:
    """Reads petitions line by line; memory holds one chunk, whatever the length of the file.

    faults: what could not be read, as “line number, reason”, since they were last taken.
    """

    source: str
    zone: tzinfo
    faults: list[str] = field(default_factory=list)
    failed: int = 0

    def petitions(self, lines: Iterable[bytes]) -> Iterator[Petition]:
        """The petitions of all lines that can be read; blank lines are passed over."""
        for number, raw in enumerate(lines, 1):
            line = raw.removeprefix(BOM)
            if not line.strip():
                continue
            try:
                yield PetitionIn.model_validate_json(line).petition(self.zone)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                self.failed += 1
                self.faults.append(f"{self.source} 第 {number} 行，{path_of(first['loc'])}：{first['msg']}")

    def taken_faults(self) -> list[str]:
        """The faults since the last call."""
        faults, self.faults = self.faults, []
        return faults


def decide_stream(decider: Decider, petitions: Iterator[Petition], options: Options) -> Iterator[bytes]:
    """Decisions as JSONL, a chunk at a time."""
    while chunk := list(islice(petitions, CHUNK)):
        yield b"".join(orjson.dumps(decision) + b"\n" for decision in decider.decide(chunk, options))
