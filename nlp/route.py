"""Route: who takes a petition under a governance system, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from nlp.decision import Route
from nlp.errors import RefusedData, UnknownProfile
from nlp.files import PROFILES, read_toml
from nlp.taxonomy import TASKS, Taxonomy

PLAIN = "plain"
REMEMBERED = 4096  # routes; a batch without times of receipt asks for the same few again and again
Codes = tuple[str, ...]
"""The codes decided for category, tier, clock and type, in the order of `TASKS`."""


@dataclass(frozen=True)
class Level:
    """The unit of a profile that settles a tier, and the one that receives it first."""

    start: str
    unit: str


@dataclass(frozen=True)
class Way:
    """How a petition is settled, for the codes listed; an empty list means every code."""

    mode: str
    way: str
    support: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    type: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Way:
        """A way from its TOML table."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**fields)

    def holds(self, codes: Codes) -> bool:
        """Whether every list is empty or has the petition's code."""
        return all(
            not getattr(self, task) or code in getattr(self, task) for task, code in zip(TASKS, codes, strict=True)
        )


@dataclass(frozen=True)
class Profile:
    """One governance system: its levels, its chain, its ways of settling, its steps."""

    name: str
    title: str
    source: str
    chain: tuple[str, ...]
    steps: tuple[str, ...]
    levels: Mapping[str, Level]
    ways: tuple[Way, ...]

    @classmethod
    def read(cls, path: Path) -> Profile:
        """Read and check a profile; raises `RefusedData` with file and reason."""
        data = read_toml(path)
        try:
            levels = {tier: Level(**level) for tier, level in data["levels"].items()}
            ways = tuple(Way.from_dict(way) for way in data["ways"])
            profile = cls(
                data["name"], data["title"], data["source"], tuple(data["chain"]), tuple(data["steps"]), levels, ways
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise RefusedData(file=path, reason=f"缺少或多出字段：{error}") from error
        if not ways or any(getattr(ways[-1], task) for task in TASKS):
            raise RefusedData(file=path, reason="最后一条 ways 必须不带条件，作为默认")
        return profile


class Router:
    """Routes petitions under the profiles that it holds."""

    def __init__(self, taxonomy: Taxonomy, folder: Path = PROFILES) -> None:
        self._profiles = {path.stem: Profile.read(path) for path in sorted(folder.glob("*.toml"))}
        self._hours = {label.code: label.hours for label in taxonomy.clocks}
        self._routes: dict[tuple[str, Codes, datetime, tzinfo | None], Route] = {}

    @property
    def profiles(self) -> list[Profile]:
        """All profiles, by name."""
        return list(self._profiles.values())

    def check(self, profile: str) -> None:
        """Raise `UnknownProfile` unless the profile is known."""
        if profile not in self._profiles:
            raise UnknownProfile(name=profile, known="、".join(self._profiles))

    def due(self, clock: str, received: datetime) -> str:
        """The end of a clock that runs from `received`, ISO 8601 to the second with its zone."""
        return (received + timedelta(hours=self._hours[clock])).isoformat(timespec="seconds")

    def route(self, profile: str, codes: Codes, received: datetime) -> Route:
        """The route of a petition with these codes, received at a time with a zone."""
        key = (profile, codes, received, received.tzinfo)  # equal moments of two zones are told apart
        known = self._routes.get(key)
        if known is None:
            self.check(profile)
            if len(self._routes) >= REMEMBERED:
                self._routes.clear()
            due = self.due(codes[2], received)
            known = self._routes[key] = self._made(self._profiles[profile], codes, due)
        return known

    def _made(self, profile: Profile, codes: Codes, due: str) -> Route:
        tier = codes[1]
        number, way = next((n, way) for n, way in enumerate(profile.ways, 1) if way.holds(codes))
        level = profile.levels.get(tier)
        rule = f"{profile.name}：层级 {tier}，办理方式第 {number} 条"
        if level is None:
            plain = self._profiles[PLAIN].levels.get(tier)
            level = plain or Level("", "")
            rule += f"；{profile.title} 止于下一级，单位取自通用五级（external）"
        return Route(
            profile.name, level.start, level.unit, list(profile.chain), list(way.support), list(way.notify),
            way.mode, way.way, list(profile.steps), due, rule,
        )  # fmt: skip
