"""Compare: the route of the same petitions under every profile, side by side, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from nlp.decision import Matter, Route
from nlp.dispatch import Dispatcher
from nlp.route.profile import Profile
from serving.rules.cases import Cases

ROWS: dict[str, Callable[[Route], str]] = {
    "先到": lambda route: route.start,
    "承办": lambda route: route.unit,
    "层层上报": lambda route: " → ".join(route.chain),
    "协办": lambda route: "、".join(route.support),
    "横向联动": lambda route: "、".join(route.sideways),
    "立即联系": lambda route: "、".join(route.notify),
    "办理方式": lambda route: route.mode,
    "解决途径": lambda route: route.way,
    "步骤": lambda route: " → ".join(route.steps),
    "期限": lambda route: route.due,
    "依据": lambda route: route.legal,
    "哪条规则": lambda route: route.rule,
}


def compared(cases: Cases, dispatcher: Dispatcher, now: datetime) -> Iterator[str]:
    """The lines of one table a petition: the profiles across, what they say down."""
    profiles = dispatcher.router.profiles
    sent = {profile.name: cases.dispatch(dispatcher, profile.name, now) for profile in profiles}
    for row, petition in enumerate(cases.petitions):
        title, text = (" ".join(cases.reading.masked(2 * row + part).split()) for part in (0, 1))
        yield f"## {title or petition.id}"
        yield ""
        yield f"> {text}"
        yield ""
        yield from _table({profile: sent[profile.name][row].matters[0] for profile in profiles})
        yield ""


def _table(matters: dict[Profile, Matter]) -> Iterator[str]:
    yield f"| | {' | '.join(f'{profile.title}<br>`{profile.name}`' for profile in matters)} |"
    yield "|---" * (len(matters) + 1) + "|"
    for name, told in ROWS.items():
        cells = [told(matter.route) or "—" for matter in matters.values()]
        yield f"| **{name}** | {' | '.join(cells)} |"
