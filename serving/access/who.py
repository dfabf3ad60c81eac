"""Who asks: the key that was shown, or nobody where the service runs without keys."""

from __future__ import annotations

from dataclasses import dataclass, replace

from serving.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Who:
    """The bearer of a key: its id, its name, what it is good for, and its rate like `600/minute` (empty: no limit).

    more: what else somebody is good for: a token may hold several scopes.
    """

    key: str
    name: str
    scope: Scope
    rate: str = ""
    more: frozenset[Scope] = frozenset()

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All that was granted, in the order of `Scope`."""
        return tuple(scope for scope in Scope if scope == self.scope or scope in self.more)

    def may(self, wanted: Scope | None) -> bool:
        """Whether any of the scopes is good for what is wanted."""
        return any(scope.covers(wanted) for scope in self.scopes)

    def at(self, wanted: Scope | None) -> Who | None:
        """The same under the scope that is good for what is wanted; nobody where none is."""
        found = next((scope for scope in self.scopes if scope.covers(wanted)), None)
        return replace(self, scope=found, more=frozenset(self.scopes) - {found}) if found else None


INSECURE = Who("insecure", "本机", Scope.admin)
