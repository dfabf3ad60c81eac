"""Suggest: what a petition seems to be while it is being written; nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from nlp.decision import Decision, Matter
from nlp.dispatch import Asked as Dispatching
from nlp.petition import Petition
from nlp.reader import Reading
from nlp.redline import RedLine
from nlp.taxonomy import TASKS
from serving.access.who import Who
from serving.desk.operator.asked import Asked
from serving.desk.operator.recent import Like, Recents
from serving.desk.operator.spans import Alarm, Span, alarm, masks
from serving.desk.operator.standing import Verdict, categories, last, verdict
from serving.feedback import Right
from serving.service import Service


@dataclass(frozen=True, slots=True)
class Near:
    """A ticket on the same place or in the same words, for people."""

    petition: str
    at: str
    category: str
    unit: str
    head: str
    places: list[str]
    words: list[str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A decision that nobody has made yet, and what else the page shows.

    corrected: where it goes by the operator's corrections, if there are any. settled: the last word on this ticket.
    """

    decision: Decision
    masks: list[Span]
    alarm: Alarm | None
    corrected: Matter | None
    recent: list[Near]
    settled: Verdict | None


async def suggest(service: Service, recents: Recents, who: Who, asked: Asked) -> Suggestion:
    """What is suggested; raises `InputError` for codes that the taxonomy does not hold, `StoreDown`."""
    asked.right.check(service.office.decider.model.taxonomy)
    petition = asked.begun(service.settings.zone)
    decision = (await service.decided([petition]))[0]
    hidden, red, corrected = await run_in_threadpool(seen, service, petition, decision, asked.right)
    near, settled = await beside(service, recents, who, decision)
    return Suggestion(decision, hidden, red, corrected, near, settled)


def seen(
    service: Service, petition: Petition, decision: Decision, right: Right
) -> tuple[list[Span], Alarm | None, Matter | None]:
    """What is hidden, what is red, and where it goes by corrections; 90 ms for the longest text, so in a thread."""
    decider = service.office.decider
    reading = decider.reader.read([petition])
    redline = decider.redlines.find(reading.texts).get(0)
    corrected = reroute(service, petition, reading, redline, decision, right) if right.codes else None
    return masks(reading), alarm(reading, redline), corrected


def reroute(
    service: Service, petition: Petition, reading: Reading, redline: RedLine | None, decision: Decision, right: Right
) -> Matter:
    """Where a petition goes by the codes that an operator says are right, and the others as decided."""
    given = right.codes
    category, tier, clock, kind = (given.get(task) or getattr(decision, task).code for task in TASKS)
    asked = Dispatching((category, tier, clock, kind), redline)
    dispatcher = service.office.decider.dispatcher
    sent = dispatcher.dispatch([petition], reading, [asked], decision.route.profile, service.settings.now())
    return sent[0].matters[0]


async def beside(service: Service, recents: Recents, who: Who, decision: Decision) -> tuple[list[Near], Verdict | None]:
    """The tickets like this one, and what was said of it before."""
    recents.renew()
    words = [word.text for word in decision.evidence if word.task == "category"]
    likes = recents.like([place.text for place in decision.places], words, decision.id)
    if not likes and not decision.id:
        return [], None
    wanted = [like.ticket.decision for like in likes]
    there, row = await run_in_threadpool(
        service.journal.read, lambda store: (categories(store, wanted), last(store, decision.id))
    )
    near = [_near(service, like, there[like.ticket.decision]) for like in likes if like.ticket.decision in there]
    return near, verdict(service, row, who)


def _near(service: Service, like: Like, corrected: str) -> Near:
    """The same under the category that somebody said was right."""
    ticket, names = like.ticket, service.office.decider.model.taxonomy.paths
    category = names[corrected][-1] if corrected in names else ticket.category
    at = service.moment(ticket.at).isoformat(timespec="minutes")
    return Near(ticket.petition, at, category, ticket.unit, ticket.head, like.places, like.words)
