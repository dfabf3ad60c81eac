"""Plan: how the rules settle a matter — guards, catalogue, guards again, then seat, way and clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from nlp.decision import Climb, Route
from nlp.route.catalogue import LOCAL, Row
from nlp.route.clock import Limit
from nlp.route.facts import Facts
from nlp.route.profile import EXTERNAL, Guard, Profile, Seat, Step, Way
from nlp.route.rulebase import PLAIN, Rulebase
from nlp.taxonomy import EMERGENCY, TASK_NAMES, TASKS

PRESSING = (EMERGENCY, "urgent")
DESK = "12345 派单席"
REFUSED = "不予受理"
REFUSED_WAY = "说明理由，告知去处"
REFUSED_STEPS = ("登记", "说明不予受理的理由", "告知有权处理的机关", "归档")


@dataclass(frozen=True)
class Plan:
    """A route without its end, and how the rules came to it.

    facts: as the rules left them, tier and clock settled. reasons: why a human must look.
    path: one line a rule, for people. row: the row of the catalogue that decided.
    """

    profile: Profile
    facts: Facts
    route: Route
    limit: Limit
    reasons: tuple[str, ...]
    path: tuple[str, ...]
    row: Row | None


class Planner:
    """Makes plans by the rules of a rulebase."""

    def __init__(self, rules: Rulebase) -> None:
        self.rules = rules
        self._hours = {label.code: label.hours for label in rules.taxonomy.clocks}
        self.names = {task: {label.code: label.name for label in rules.taxonomy.labels(task)} for task in TASKS}
        self._ranks = {code: rank for rank, code in enumerate(rules.taxonomy.codes("tier"))}

    def plan(self, profile: Profile, facts: Facts, day: date) -> Plan:
        """What the rules in force on a day say."""
        return _Walk(self, profile, facts, day).plan()

    def rank(self, tier: str) -> int:
        """How high a tier stands; a code that the taxonomy does not hold stands lowest."""
        return self._ranks.get(tier, -1)

    def limit(self, profile: Profile, facts: Facts, row: Row | None) -> tuple[Limit, str]:
        """How long a matter may take, and what said so; what presses is never given longer than its clock."""
        table = self.rules.clocks.get(profile.clocks)
        found = table.limit(facts) if table else None
        standard = Limit(self._hours.get(facts.clock, 0), "小时")
        limit, source = standard, "通行时限"
        if found:
            limit, source = found[0], f"时限表 {profile.clocks}{found[1] and '·' + found[1]}"
        if row and row.limit:
            limit, source = Limit.parse(row.limit), row.told
        late = facts.clock in PRESSING and limit.longer(standard)
        return (standard, "紧急、加急不得长于通行时限") if late else (limit, source)


class _Walk:
    """One matter on its way through the rules."""

    def __init__(self, planner: Planner, profile: Profile, facts: Facts, day: date) -> None:
        self._planner = planner
        self._rules = planner.rules
        self._profile = profile
        self._facts = facts
        self._day = day
        self._acted: dict[str, Guard] = {}
        self._rule: list[str] = []
        self._path: list[str] = [_told(planner.names, facts)]

    def plan(self) -> Plan:
        """Guards, catalogue, guards again, then seat, way and clock."""
        system = self._scope()
        self._guard(system)
        row = self._rules.catalogue.find(self._facts, self._day)
        self._lay_down(row)
        self._guard(system)
        refusal = next((guard for guard in self._acted.values() if guard.refused), None)
        seat, home = self._seat(system)
        told_by, number, way = self._settled(system, home)
        limit, source = self._planner.limit(self._profile, self._facts, row)
        self._path.append(f"时限：{limit}（{source}）")
        route = self._route(system, home, seat, row, way)
        self._note(f"办理方式第 {number} 条", f"方式：{route.mode}，{way.way}（{told_by} 办理方式第 {number} 条）")
        if refusal:
            route = _refused(route, refusal)
            self._path.append(f"　　{REFUSED}：{refusal.why}，转 {refusal.unit}；{refusal.turn}")
        route.rule = f"{self._profile.name}：{'；'.join(self._rule)}"
        return Plan(
            self._profile, self._facts, route, limit, tuple(self._reasons(row, refusal)), tuple(self._path), row
        )

    def _note(self, short: str, told: str) -> None:
        self._rule.append(short)
        self._path.append(told)

    @property
    def _tier_name(self) -> str:
        return self._planner.names["tier"].get(self._facts.tier, self._facts.tier)

    def _scope(self) -> Profile:
        """The profile, or the plain one for a matter that the profile is not for."""
        if not self._profile.scope or self._facts.category in self._profile.scope:
            return self._profile
        self._note(
            f"事项不在{self._profile.title}的范围，按 {PLAIN}", f"范围：{self._profile.title}不管这类事项，改按通用五级"
        )
        return self._rules.profile(PLAIN)

    def _guard(self, system: Profile) -> None:
        """Let every guard act that holds; of guards with one name the first."""
        for guard in (*self._rules.guards, *system.guards):
            if self._acted.get(guard.name, guard) is not guard or not guard.holds(self._facts):
                continue
            raised = self._planner.rank(guard.raised) > self._planner.rank(self._facts.tier)
            if (raised or guard.speaks) and guard.name not in self._acted:
                self._acted[guard.name] = guard
                self._note(f"守则 {guard.name}（{guard.why}）", f"守则 {guard.name}：{guard.why}")
            if raised:
                self._facts = replace(self._facts, tier=guard.raised)
                self._path.append(f"　　层级由此提到{self._tier_name}")

    def _lay_down(self, row: Row | None) -> None:
        """What the catalogue says of tier and clock; a red line keeps its clock."""
        if row is None:
            self._note("派单目录没有合适的条目，按层级派", "目录：没有合适的条目，按层级的默认单位")
            return
        helpers = f"，协办 {'、'.join(row.support)}" if row.support else ""
        self._note(row.told, f"{row.told}：承办 {row.lead}{helpers}")
        tier, clock = row.set_tier or self._facts.tier, row.set_clock or self._facts.clock
        if self._facts.redline or "emergency" in self._acted:
            clock = self._facts.clock
        if (tier, clock) != (self._facts.tier, self._facts.clock):
            self._facts = replace(self._facts, tier=tier, clock=clock)
            self._path.append(f"　　目录定层级 {tier}、时限 {clock}")

    def _seat(self, system: Profile) -> tuple[Seat, Profile]:
        """Who takes the matter, and the profile whose seat it is: where one ends, the plain one goes on."""
        seat = next((seat for seat in system.seats if seat.holds(self._facts)), None)
        if seat is None or seat.unit == EXTERNAL:
            plain = self._rules.profile(PLAIN)
            onward = next(seat for seat in plain.seats if seat.holds(self._facts))
            self._note(
                f"层级 {self._facts.tier}：{system.title}止于下一级（{EXTERNAL}），单位取自 {PLAIN}",
                f"层级：{self._tier_name}在{system.title}之外（{EXTERNAL}），由通用五级的 {onward.unit} 接续",
            )
            return onward, plain
        self._note(f"层级 {self._facts.tier}", f"层级：{self._tier_name}，先到 {seat.start}，由 {seat.unit} 办理")
        return seat, system

    def _settled(self, system: Profile, home: Profile) -> tuple[str, int, Way]:
        """How the matter is settled, with the profile and the number of the rule."""
        ways = [(home.name, number, way) for number, way in enumerate(home.ways, 1)]
        if home is not system:
            ways = [(system.name, number, way) for number, way in enumerate(system.ways, 1) if way.beyond] + ways
        return next(rule for rule in ways if rule[2].holds(self._facts))

    def _route(self, system: Profile, home: Profile, seat: Seat, row: Row | None, way: Way) -> Route:
        lead, helpers = self._lead(seat, row)
        guards = self._acted.values()
        told = [tell.notify for tell in system.tells if tell.holds(self._facts)]
        start = self._local(home, seat.start)
        unit = self._local(home, seat.unit)
        return Route(
            profile=self._profile.name,
            start=start,
            unit=f"{unit}（{lead}）" if lead else unit,
            chain=self._chain(system, home, seat),
            support=_merged(
                [helpers, *(guard.support for guard in guards), way.support], but={unit, lead, *seat.known_as}
            ),
            notify=_merged([*(guard.notify for guard in guards), *told]),
            mode=home.mode(self._facts, way),
            way=way.way,
            steps=list(home.steps),
            due="",
            rule="",
            legal=row.legal if row else "",
            sideways=list(way.sideways),
            escalation=[Climb(step.to, step.when) for step in self._climbs(system, home, seat)],
        )

    def _lead(self, seat: Seat, row: Row | None) -> tuple[str, tuple[str, ...]]:
        """The office named beside the unit, and those that help.

        An office of a higher level than the tier's does not lead there: it helps.
        """
        guarded = next((guard.lead for guard in self._acted.values() if guard.lead), "")
        offered = "" if row is None or row.lead == LOCAL else row.lead
        support = row.support if row else ()
        if guarded:
            return guarded, (*filter(None, [offered]), *support)
        rank = self._planner.rank
        leads = offered and not seat.own and row is not None and rank(row.level) <= rank(self._facts.tier)
        return (offered, support) if leads else ("", (*filter(None, [offered]), *support))

    @staticmethod
    def _chain(system: Profile, home: Profile, seat: Seat) -> list[str]:
        """The levels a matter may go up; where the system ends, those of the plain one from its unit on."""
        if seat.chain or home is system:
            return list(seat.chain or system.chain)
        level = home.level(seat.unit)
        onward = home.chain[home.chain.index(level.name) :] if level else ()
        return [*system.chain, *onward]

    def _local(self, home: Profile, unit: str) -> str:
        """A unit of a profile by its local name, where the place is known."""
        level = home.level(unit)
        return level.unit(self._facts.area) + unit.removeprefix(level.name) if level else unit

    def _climbs(self, system: Profile, home: Profile, seat: Seat) -> Iterable[Step]:
        """The steps above the lower of the levels that receive and settle the matter."""
        if home is not system:
            return ()
        names = list(seat.chain or system.chain)

        def rank(unit: str) -> int:
            level = system.level(unit)
            return names.index(level.name) if level and level.name in names else -1

        lowest = min(rank(seat.start), rank(seat.unit))
        return [step for step in system.escalation if rank(step.to) > lowest]

    def _reasons(self, row: Row | None, refusal: Guard | None) -> Iterable[str]:
        if refusal:
            yield f"不予受理，请核实（{refusal.why}）：{refusal.turn}"
        if row is None:
            yield "派单目录没有这类事项的条目，请人工定承办单位"


def _told(names: Mapping[str, Mapping[str, str]], facts: Facts) -> str:
    """The facts in the words of the taxonomy."""
    told = "，".join(
        f"{TASK_NAMES[task]} {names[task].get(code, code)}" for task in TASKS if (code := getattr(facts, task))
    )
    place = f"，地点 {'、'.join(filter(None, facts.area))}" if facts.area.unit else ""
    return f"认定：{told}{place}"


def _refused(route: Route, guard: Guard) -> Route:
    return replace(
        route, start=DESK, unit=guard.unit or route.unit, mode=REFUSED, way=f"{REFUSED_WAY}：{guard.turn}",
        steps=list(REFUSED_STEPS), support=[], escalation=[], sideways=[],
    )  # fmt: skip


def _merged(lists: Iterable[Iterable[str]], but: Iterable[str] = ()) -> list[str]:
    """All names in order, each once."""
    left = set(but)
    return [name for name in dict.fromkeys(name for part in lists for name in part) if name not in left]
