"""Rulebase: all the rules of routing, read and checked as a whole; an office's own files go before the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nlp.checked import STRICT, read_checked
from nlp.errors import RefusedData, UnknownProfile
from nlp.files import RULES
from nlp.place.gazetteer import Gazetteer
from nlp.route.calendar import Calendar
from nlp.route.catalogue import Catalogue
from nlp.route.clock import ClockTable
from nlp.route.crosswalk import Crosswalk
from nlp.route.facts import When
from nlp.route.groups import Groups
from nlp.route.profile import Guard, Profile
from nlp.route.returns import ReturnRules
from nlp.taxonomy import Taxonomy

PLAIN = "plain"
Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of change and size of every file: equal stamps, equal rules."""


@dataclass(frozen=True)
class Shelf:
    """Where rule files stand: in the office's folder, or else in the shipped one."""

    office: Path | None = None

    def file(self, name: str) -> tuple[Path, bool]:
        """The file of a name, and whether it is the office's own."""
        own = self.office / name if self.office else None
        return (own, True) if own and own.exists() else (RULES / name, False)

    def files(self, folder: str, suffix: str) -> Iterator[tuple[str, Path, bool]]:
        """Name, path and whether it is the office's own, for every file of a folder, by name."""
        names = {path.stem for path in (RULES / folder).glob(f"*{suffix}")}
        if self.office:
            names |= {path.stem for path in (self.office / folder).glob(f"*{suffix}")}
        for name in sorted(names):
            yield (name, *self.file(f"{folder}/{name}{suffix}"))

    @property
    def stamp(self) -> Stamp:
        """What tells whether any file has changed."""
        folders = [RULES, *([self.office] if self.office else [])]
        found: list[tuple[str, int, int]] = []
        for path in sorted(path for folder in folders for path in folder.rglob("*")):
            try:
                state = path.stat()
            except FileNotFoundError:  # an editor's own file, gone by now
                continue
            found.append((str(path), state.st_mtime_ns, state.st_size))
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Guards:
    __pydantic_config__ = STRICT

    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Rulebase:
    """Profiles, national guards, catalogue, clock tables, calendar, crosswalks, returns and gazetteer."""

    taxonomy: Taxonomy
    profiles: Mapping[str, Profile]
    guards: tuple[Guard, ...]
    catalogue: Catalogue
    clocks: Mapping[str, ClockTable]
    calendar: Calendar
    crosswalks: Mapping[str, Crosswalk]
    returns: ReturnRules
    gazetteer: Gazetteer

    @classmethod
    def read(cls, taxonomy: Taxonomy, office: Path | None = None, catalogue: Path | None = None) -> Rulebase:
        """Read everything, or raise `RefusedData` for the first fault; `catalogue` goes before any other."""
        if office is not None and not office.is_dir():
            raise RefusedData(file=office, reason="没有这个文件夹")
        shelf, groups = Shelf(office), Groups(taxonomy, {})
        lists = {name: (file, mine) for name, file, mine in shelf.files("lists", ".csv")}
        crosswalks = {
            name: Crosswalk.read(path, taxonomy, strict=own) for name, path, own in shelf.files("crosswalks", ".csv")
        }
        path, own = (catalogue, True) if catalogue else shelf.file("catalogue.csv")
        rulebase = cls(
            taxonomy=taxonomy,
            profiles={
                name: Profile.read(file, groups, lists, strict=mine)
                for name, file, mine in shelf.files("profiles", ".toml")
            },
            guards=_guards(*shelf.file("guards.toml"), groups),
            catalogue=Catalogue.read(path, taxonomy, crosswalks, strict=own),
            clocks={
                name: ClockTable.read(file, groups, strict=mine) for name, file, mine in shelf.files("clocks", ".toml")
            },
            calendar=Calendar.read(shelf.file("holidays.toml")[0]),
            crosswalks=crosswalks,
            returns=ReturnRules.read(shelf.file("returns.toml")[0]),
            gazetteer=Gazetteer.read(shelf.file("gazetteer.csv")[0]),
        )
        rulebase._check(shelf)
        return rulebase

    def profile(self, name: str) -> Profile:
        """A profile by its name; raises `UnknownProfile`."""
        if name not in self.profiles:
            raise UnknownProfile(name=name, known="、".join(self.profiles))
        return self.profiles[name]

    def conditions(self) -> Iterator[When]:
        """Every rule that asks something of a matter."""
        yield from self.guards
        yield from self.catalogue.rows
        for profile in self.profiles.values():
            yield from profile.rules()
        for table in self.clocks.values():
            yield from table.items

    def _check(self, shelf: Shelf) -> None:
        tiers = set(self.taxonomy.codes("tier"))
        for name, profile in self.profiles.items():
            path = shelf.file(f"profiles/{name}.toml")[0]
            if profile.clocks and profile.clocks not in self.clocks:
                raise RefusedData(file=path, reason=f"没有名为 {profile.clocks} 的时限表")
            seated = {tier for seat in profile.seats if seat.only_tier for tier in seat.tier}
            if missing := sorted(tiers - seated):
                raise RefusedData(file=path, reason=f"这些层级没有不带其他条件的 seats：{'、'.join(missing)}")
        if PLAIN not in self.profiles:
            raise RefusedData(file=RULES / "profiles", reason=f"缺少 {PLAIN}，其他体系止处由它接续")


def _guards(path: Path, own: bool, groups: Groups) -> tuple[Guard, ...]:
    """The national guards; in an office's own file every code must be known."""
    guards = read_checked(path, _Guards).guards
    groups.check_words(path, "guards", guards)
    if own:
        groups.check(path, "guards", guards)
        for number, guard in enumerate(guards):
            groups.check_codes(path, ("guards", number, "raised"), "tier", filter(None, [guard.raised]))
    return tuple(map(groups.spread, guards))
