"""Keep: decisions to which an adapter has added a reason of its own are written like all others."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.decision import Decision
from nlp.petition import Petition
from serving.access.who import Who
from serving.journal.decided import Decided
from serving.journal.unit import Unit
from serving.service import Service


async def keep(service: Service, petitions: Sequence[Petition], decisions: Sequence[Decision], who: Who) -> None:
    """Write decisions before anybody hears of them; raises `StoreDown`."""
    written = Decided.of(decisions, petitions, who, service.secret)

    def write(unit: Unit) -> None:
        service.keep(unit, decisions, written)

    await service.journal.write(write)
    service.metrics.decided(decisions)
