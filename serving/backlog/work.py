"""Work: what becomes of one chunk, the same in this process, in another one, or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from corpora.rows.row import Row
from nlp.errors import JiesuError
from serving.backlog import rejects
from serving.backlog.answers import Answered
from serving.backlog.deciding import Deciding
from serving.backlog.sink import Sink
from serving.backlog.sinks.record import FileSink, traces
from serving.backlog.spool import BODY, FILES, REJECTS, TRACES
from serving.backlog.tally import Tally


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that is decided. parts: what it adds to each file of the spool."""

    rows: int
    parts: Mapping[str, bytes]
    tally: Tally

    def packed(self) -> bytes:
        """As it travels between processes."""
        parts = [self.parts.get(name, b"") for name in FILES]
        told = {"rows": self.rows, "sizes": list(map(len, parts)), "tally": self.tally}
        return b"".join([orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE), *parts])

    @classmethod
    def unpacked(cls, raw: bytes) -> Done:
        """What `packed` gave."""
        at = raw.index(b"\n") + 1
        told = orjson.loads(raw[:at])
        parts: dict[str, bytes] = {}
        for name, size in zip(FILES, told["sizes"], strict=True):
            parts[name], at = raw[at : at + size], at + size
        return cls(told["rows"], parts, Tally.from_dict(told["tally"]))


class Work:
    """Decides and renders chunks. dry: only counts and rejects are wanted, and there need be no sink."""

    def __init__(self, deciding: Deciding, sink: Sink | None, *, dry: bool = False) -> None:
        self._deciding = deciding
        self._sink = sink
        self._dry = dry

    def __call__(self, _number: int, rows: Sequence[Row]) -> bytes:
        """A packed `Done` of a chunk; raises `JiesuError` where it cannot be written."""
        answered = safely(self._deciding, rows)
        parts = {REJECTS: rejects.rendered(answered)} if any(one.reason for one in answered) else {}
        parts |= self._rendered(self._sink, answered) if self._sink and not self._dry else {}
        return Done(len(rows), parts, Tally.of(self._deciding.plan, answered)).packed()

    def _rendered(self, sink: Sink, answered: Sequence[Answered]) -> dict[str, bytes]:
        if not isinstance(sink, FileSink):
            return {BODY: sink.rendered(answered)}
        records = sink.records(answered)
        return {BODY: sink.written(records), TRACES: traces(records).tobytes()}


def safely(deciding: Deciding, rows: Sequence[Row]) -> list[Answered]:
    """Every row answered; one on which deciding itself fails is a reject and costs no other row."""
    try:
        return deciding.answered(rows)
    except (JiesuError, MemoryError):
        raise
    except Exception as error:
        if len(rows) > 1:
            return [one for row in rows for one in safely(deciding, [row])]
        return [Answered(row, None, f"判不了（{type(error).__name__}）") for row in rows]
