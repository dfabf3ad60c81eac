"""Returning: who is to be proposed after a unit gave a ticket back (退单)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nlp.dispatch import Dispatched, Dispatcher
from nlp.route.proposal import Proposal, propose
from nlp.route.returns import Returned
from serving.rules.cases import Cases


def proposed(
    dispatcher: Dispatcher, profile: str, cases: Cases, row: int, back: Sequence[Returned], now: datetime
) -> tuple[Dispatched, Proposal]:
    """How a case was dispatched, and who is next after these returns, the oldest first; its clock runs on."""
    sent: Dispatched = cases.dispatch(dispatcher, profile, now)[row]
    received, others = cases.petitions[row].received_at or now, cases.asked[row].others
    system = dispatcher.router.rules.profile(profile)
    return sent, propose(dispatcher.router, system, sent.plan.facts, back, received, others)
