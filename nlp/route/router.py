"""Router: facts in, a route out; equal facts are planned once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import chain

from nlp.decision import Route
from nlp.place.area import NOWHERE
from nlp.route.clock import USUAL_HOURS, due, in_china
from nlp.route.facts import Facts
from nlp.route.plan import Plan, Planner
from nlp.route.profile import Profile
from nlp.route.rulebase import PLAIN, Rulebase

REMEMBERED = 8192  # plans; a batch asks for the same few again and again


class Router:
    """Routes matters under the profiles of a rulebase; safe to share between threads."""

    def __init__(self, rules: Rulebase) -> None:
        self.rules = rules
        self._planner = Planner(rules)
        self._words: dict[tuple[str, str], frozenset[str]] = {}
        self._plans: dict[tuple[str, Facts, int], Plan] = {}

    @property
    def profiles(self) -> list[Profile]:
        """All profiles, by name."""
        return list(self.rules.profiles.values())

    def check(self, profile: str) -> None:
        """Raise `UnknownProfile` unless the profile is known."""
        self.rules.profile(profile)

    def route(self, profile: str, facts: Facts, received: datetime, unknown: str = "") -> Route:
        """The route of a matter received at a time with a zone; unknown: a place of it that no gazetteer covers."""
        return self.routed(self.rules.profile(profile), facts, received, unknown)[1]

    def routed(self, profile: Profile, facts: Facts, received: datetime, unknown: str = "") -> tuple[Plan, Route]:
        """The plan of a matter and its route."""
        plan = self.plan(profile, facts, in_china(received).date())
        return plan, self.dated(plan, received, unknown)

    def plan(self, profile: Profile, facts: Facts, day: date) -> Plan:
        """What the rules in force on a day say; words that no rule asks of the category are left out of account."""
        asked = self._asked(profile, facts.category)
        if not facts.words <= asked:
            facts = replace(facts, words=facts.words & asked)
        key = (profile.name, facts, self.rules.catalogue.period(day))
        known = self._plans.get(key)
        if known is None:
            if len(self._plans) >= REMEMBERED:
                self._plans.clear()
            known = self._plans[key] = self._planner.plan(profile, facts, day)
        return known

    def _asked(self, profile: Profile, category: str) -> frozenset[str]:
        """The words that rules of a profile may ask of a category."""
        known = self._words.get((profile.name, category))
        if known is None:
            table = self.rules.clocks.get(profile.clocks)
            rules = chain(
                self.rules.guards, self.rules.catalogue.of(category), profile.rules(),
                self.rules.profile(PLAIN).rules(), table.items if table else (),
            )  # fmt: skip
            fitting = (rule for rule in rules if not rule.category or category in rule.category)
            known = self._words[profile.name, category] = frozenset(word for rule in fitting for word in rule.words)
        return known

    def dated(self, plan: Plan, received: datetime, unknown: str = "") -> Route:
        """The plan's route with the end of its clock."""
        route, table = plan.route, self.rules.clocks.get(plan.profile.clocks)
        end = due(received, plan.limit, self.rules.calendar, table.hours if table else USUAL_HOURS)
        rule = route.rule
        if unknown and plan.facts.area == NOWHERE:
            rule += f"；“{unknown}”不在地名库，用层级的默认单位"
        if end.warning:
            rule += f"；{end.warning}"
        return Route(
            route.profile, route.start, route.unit, route.chain, route.support, route.notify, route.mode, route.way,
            route.steps, end.moment, rule, route.legal, route.sideways, route.escalation,
        )  # fmt: skip

    def rank(self, tier: str) -> int:
        """How high a tier stands."""
        return self._planner.rank(tier)
