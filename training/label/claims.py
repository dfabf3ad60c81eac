"""Claims: what several people said of one petition, and what of it can be learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ACCEPTED, CORRECTED = "accepted", "corrected"


@dataclass(frozen=True)
class Claim:
    """One person's code for one task, and where it came from (`ACCEPTED`, `CORRECTED` or a label tool)."""

    task: str
    code: str
    source: str
    operator: str = ""


@dataclass(frozen=True)
class Disagreement:
    """People who gave one petition different codes: (operator, code) of each; nobody learns from it."""

    id: str
    place: str
    task: str
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Settled:
    """What holds of one petition: the claim of each task, and the claims of tasks that are disputed."""

    claims: Mapping[str, Claim]
    disputed: Mapping[str, Sequence[Claim]]

    @property
    def labels(self) -> dict[str, str]:
        """The code of each task."""
        return {task: claim.code for task, claim in self.claims.items()}

    @property
    def source(self) -> str:
        """Where the labels come from; a row of which one label was corrected is a corrected row."""
        sources = [claim.source for claim in self.claims.values()]
        return CORRECTED if CORRECTED in sources else next(iter(sources), "")

    @property
    def operator(self) -> str:
        """Who said so, several set apart by “、”."""
        return "、".join(sorted({claim.operator for claim in self.claims.values()} - {""}))

    def disagreements(self, id_: str, place: str) -> list[Disagreement]:
        """The disputed tasks of a petition, to be listed."""
        return [
            Disagreement(id_, place, task, tuple((claim.operator, claim.code) for claim in claims))
            for task, claims in self.disputed.items()
        ]


def settle(claims: Sequence[Claim]) -> Settled:
    """What the claims on one petition, oldest first, add up to.

    Of one operator the latest claim on a task counts; who gives no name is taken for somebody else each time.
    A correction overrules what others accepted before it: they passed the answer, somebody changed it.
    """
    held: dict[str, Claim] = {}
    disputed: dict[str, Sequence[Claim]] = {}
    for task in dict.fromkeys(claim.task for claim in claims):
        standing = _standing([claim for claim in claims if claim.task == task])
        if len({claim.code for claim in standing}) == 1:
            held[task] = next((claim for claim in standing if claim.source == CORRECTED), standing[-1])
        else:
            disputed[task] = standing
    return Settled(held, disputed)


def _standing(claims: Iterable[Claim]) -> list[Claim]:
    latest: dict[str | int, Claim] = {}
    for number, claim in enumerate(claims):
        who = claim.operator or number
        latest.pop(who, None)  # it moves to the end: the order stays that of time
        latest[who] = claim
    standing = list(latest.values())
    last = max((at for at, claim in enumerate(standing) if claim.source == CORRECTED), default=-1)
    return [claim for at, claim in enumerate(standing) if at >= last or claim.source == CORRECTED]
