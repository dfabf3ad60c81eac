"""The service: the parts that answer, built once by `create_app` and handed to every door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nlp.decision import Decision
from nlp.petition import Petition
from nlp.redline import RED_LINE_REASON
from serving.access.access import Access
from serving.access.who import Who
from serving.batcher import Batcher
from serving.events.outbox import DECIDED, RED_LINE, Outbox
from serving.events.targets import Targets
from serving.journal.decided import Decided
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.metrics import Metrics
from serving.rules.office import Office
from serving.settings import Settings
from serving.store import tables
from serving.times import moment

NO_ENCODER = "这个模型没有编码器，按 accuracy=fast 作答"


@dataclass(frozen=True)
class How:
    """How petitions are to be decided: the profile (empty: that of the settings), the encoder, the evidence."""

    profile: str = ""
    high: bool = False
    evidence: bool = True


@dataclass(frozen=True)
class Answered:
    """Decisions that are on disk, and the JSON of each."""

    decisions: list[Decision]
    contents: list[bytes]

    @property
    def body(self) -> bytes:
        """The reply of `/v1/decisions`."""
        return b'{"decisions":[' + b",".join(self.contents) + b"]}"


Closing = Callable[[Unit, Answered], None]


@dataclass(frozen=True)
class Service:
    """What every door needs.

    secret: the server's, see `serving.secret`.
    """

    settings: Settings
    office: Office
    batcher: Batcher
    journal: Journal
    access: Access
    targets: Targets
    outbox: Outbox
    metrics: Metrics
    secret: bytes

    async def decide(
        self, petitions: Sequence[Petition], who: Who, how: How = How(), closing: Closing | None = None
    ) -> Answered:
        """Decide petitions, in order; they are written before anybody hears of them. Raises `StoreDown`.

        closing: what else is to be written in the same transaction.
        """
        return await self.written(await self.decided(petitions, how), petitions, who, closing)

    async def written(
        self, decisions: list[Decision], petitions: Sequence[Petition], who: Who, closing: Closing | None = None
    ) -> Answered:
        """Write decisions on petitions, as `decide` does; raises `StoreDown`."""
        written = Decided.of(decisions, petitions, who, self.secret)
        answered = Answered(decisions, written.contents)

        def write(unit: Unit) -> None:
            self.keep(unit, decisions, written)
            if closing:
                closing(unit, answered)

        await self.journal.write(write)
        self.metrics.decided(decisions)
        return answered

    async def decided(self, petitions: Sequence[Petition], how: How = How()) -> list[Decision]:
        """Decide petitions without writing anything."""
        decider = self.office.decider
        able = decider.model.encoder is not None
        decisions = await self.batcher.decide(
            decider, petitions, how.profile or self.settings.profile, evidence=how.evidence, high=how.high and able
        )
        if how.high and not able:
            for decision in decisions:
                decision.reasons.append(NO_ENCODER)
        return decisions

    def keep(self, unit: Unit, decisions: Sequence[Decision], written: Decided) -> None:
        """Write decisions, their audit records and the events that somebody wants."""
        unit.add(tables.decisions, *written.rows)
        self.tell(unit, decisions, written)

    def tell(self, unit: Unit, decisions: Sequence[Decision], written: Decided) -> None:
        """What follows from decisions whose rows are written: the audit records and the events."""
        unit.note(*written.records)
        for decision, content in zip(decisions, written.contents, strict=True):
            self.outbox.put(unit, DECIDED, decision.decision_id, content)
            if any(reason.startswith(RED_LINE_REASON) for reason in decision.reasons):
                self.outbox.put(unit, RED_LINE, decision.decision_id, content)

    def moment(self, at: int) -> datetime:
        """A time of the store in the office's time zone."""
        return moment(at, self.settings.zone)
