"""Who asks: the key that was shown, or nobody where the service runs without keys."""

from __future__ import annotations

from dataclasses import dataclass

from serving.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Who:
    """The bearer of a key: its id, its name, what it is good for, and its rate like `600/minute` (empty: no limit)."""

    key: str
    name: str
    scope: Scope
    rate: str = ""


INSECURE = Who("insecure", "本机", Scope.admin)
