"""A kind of errand: which commands do it, and what may be done where one was broken off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from serving.errands.errand import Errand
from serving.settings import Settings


@dataclass(frozen=True)
class Command:
    """`jiesu` with these words; environment: further variables, for what must not stand in a list of processes."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def _nothing(_settings: Settings, _errand: Errand) -> Mapping[str, str]:
    return {}


def _rest(_settings: Settings, _errand: Errand) -> None:
    pass


@dataclass(frozen=True)
class Kind:
    """One of them.

    commands: those to be run, one after the other, until one fails; called in a thread, may raise `InputError`.
    once: whether it must not begin anew where nobody knows how far it came. names: what stands for what in all that
    is told of it, like the name of a file for its path. after: what is to be tidied up when it has ended, however.
    """

    title: str
    commands: Callable[[Settings, Errand], Sequence[Command]]
    once: bool = False
    names: Callable[[Settings, Errand], Mapping[str, str]] = _nothing
    after: Callable[[Settings, Errand], None] = _rest
