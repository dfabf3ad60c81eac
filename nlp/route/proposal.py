"""Proposal: who takes a ticket that was returned (退单后的改派)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nlp.decision import Route
from nlp.route.catalogue import LOCAL
from nlp.route.clock import in_china
from nlp.route.facts import Facts
from nlp.route.profile import Profile
from nlp.route.returns import Reason, Returned
from nlp.route.router import Router
from nlp.taxonomy import EMERGENCY

AT_ONCE = "立即指定，边办边议"
REPORTED = "{unit} 退回的是派单目录定给它的事项（{row}），应报督办"


@dataclass(frozen=True)
class Proposal:
    """The next route of a returned ticket; its clock runs on.

    why: in one line; reported: what is to be reported of the unit that returned it, or empty.
    """

    route: Route
    why: str
    reported: str


def propose(
    router: Router, profile: Profile, facts: Facts, returned: Sequence[Returned], received: datetime,
    others: Sequence[str] = (),
) -> Proposal:  # fmt: skip
    """Weigh the last of the returns and propose the next unit, everybody who returned the ticket left out.

    others: the next likely categories. Of several returns too many the profile's coordinator decides.
    """
    plan, route = router.routed(profile, facts, received)
    last, rules = returned[-1], router.rules.returns
    reason = rules.reason(last.reason)
    gone = [route.unit, *(back.unit for back in returned)]
    reported = ""
    if plan.row is not None and plan.row.lead != LOCAL and plan.row.lead in last.unit:
        reported = REPORTED.format(unit=last.unit, row=plan.row.told)
    if len(returned) >= rules.most:
        found = Found(profile.coordinator, f"已退单 {len(returned)} 次，由{profile.coordinator}指定承办单位")
    else:
        candidates = _candidates(router, profile, facts, reason, others, received)
        found = next((one for one in candidates if not _is_among(one.unit, gone)), None) or Found(
            profile.coordinator, f"没有别的合适单位，由{profile.coordinator}指定"
        )
    why = f"退单理由属“{reason.name}”：{found.why}"
    pressing = plan.facts.clock == EMERGENCY  # nobody reviews papers while it burns: all are called again
    following = replace(
        found.route or route, unit=found.unit, start=profile.coordinator, due=route.due, notify=route.notify,
        mode=AT_ONCE if pressing else reason.mode, steps=route.steps if pressing else [*rules.steps, *route.steps],
        rule=f"{route.rule}；退单 {len(returned)} 次，{why}",
    )  # fmt: skip
    return Proposal(following, why, reported)


@dataclass(frozen=True)
class Found:
    """A unit that may be next, why, and its route where it has one of its own."""

    unit: str
    why: str
    route: Route | None = None


def _candidates(
    router: Router, profile: Profile, facts: Facts, reason: Reason, others: Sequence[str], received: datetime
) -> Iterator[Found]:
    """Who may be next, best first, by what the reason asks for."""
    if reason.answer in ("higher_tier", "other_place"):
        yield from _above(router, profile, facts, received)
    elif reason.answer == "other_lead":
        yield from _elsewhere(router, profile, facts, others, received)
    elif reason.answer == "complete":
        yield Found("12345 派单席（补充信息）", "先向来电人补齐信息，再派原单位")
    elif reason.answer == "merge":
        yield Found("12345 派单席（并单）", "与原工单核对后并单")
    yield Found(profile.coordinator, f"由{profile.coordinator}复核")


def _above(router: Router, profile: Profile, facts: Facts, received: datetime) -> Iterator[Found]:
    """The units of the tiers above, nearest first: they have more power and cover more places."""
    tiers = router.rules.taxonomy.codes("tier")
    for tier in tiers[router.rank(facts.tier) + 1 :]:
        _, route = router.routed(profile, replace(facts, tier=tier), received)
        yield Found(route.unit, f"交上一级 {route.unit}", route)


def _elsewhere(
    router: Router, profile: Profile, facts: Facts, others: Sequence[str], received: datetime
) -> Iterator[Found]:
    """Other offices: of further catalogue rows that fit, then of the next likely categories."""
    plan, route = router.routed(profile, facts, received)
    for row in router.rules.catalogue.fitting(plan.facts, in_china(received).date()):
        if row is not plan.row and row.lead != LOCAL:
            yield Found(_seated(route, row.lead), f"{row.told}也合这件事")
    for category in others:
        meant = replace(facts, category=category)
        office, other = router.routed(profile, meant, received)
        if office.row is not None and router.rank(office.row.level) > router.rank(office.facts.tier):
            _, other = router.routed(profile, replace(meant, tier=office.row.level), received)
        yield Found(other.unit, f"可能属 {category}，由 {other.unit} 办", other)


def _seated(route: Route, lead: str) -> str:
    """A lead beside the unit that the route has."""
    return f"{route.unit.partition('（')[0]}（{lead}）"


def _is_among(unit: str, gone: Sequence[str]) -> bool:
    """Whether a unit, the office named beside it or the unit of such an office returned the ticket."""
    return any(other in (unit, _office(unit)) or _office(other) == _office(unit) or other.partition("（")[0] == unit
               for other in gone)  # fmt: skip


def _office(unit: str) -> str:
    return unit.partition("（")[2].removesuffix("）") or unit
